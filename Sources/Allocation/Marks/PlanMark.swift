import Checkpoints
import Compression

/// A well-known plan to compare with: uniform, or one of llama-quantize's mixtures.
public struct PlanMark: Hashable, Sendable {
  public let name: String
  /// Whether all layers have the same scheme.
  public let isUniform: Bool
  /// The scheme of every layer, by name.
  public let schemes: [String: Scheme]

  public init(name: String, isUniform: Bool, schemes: [String: Scheme]) {
    self.name = name
    self.isUniform = isUniform
    self.schemes = schemes
  }
}

extension Sensitivity {
  /// The marks whose schemes were tried on all layers of a model.
  ///
  /// - Parameter model: The one that this was measured on.
  /// - Returns: A uniform plan for each scheme, then llama-quantize's mixtures, those for which rounding to nearest was
  ///   not tried by GPTQ, and named so.
  public func marks(for model: ModelDescription) -> [PlanMark] {
    let tried = Dictionary(
      layers.map { ($0.layer, Set($0.trials.map(\.scheme))) }, uniquingKeysWith: { $0.union($1) })
    let uniform = (layers.first?.trials.map(\.scheme) ?? []).map { scheme in
      PlanMark(
        name: scheme.shortSummary, isUniform: true,
        schemes: Dictionary(
          model.layers.map { ($0.name, scheme) }, uniquingKeysWith: { first, _ in first }))
    }
    let mixes = LlamaMix.allCases.compactMap { mix in
      if let schemes = mixSchemes(mix, by: .rtn, for: model, tried: tried) {
        return PlanMark(name: mix.rawValue, isUniform: false, schemes: schemes)
      }
      return mixSchemes(mix, by: .gptq, for: model, tried: tried).map {
        PlanMark(name: "\(mix.rawValue) gptq", isUniform: false, schemes: $0)
      }
    }
    return (uniform + mixes).filter { mark in
      mark.schemes.allSatisfy { tried[$0.key]?.contains($0.value) == true }
    }
  }

  /// The mixture with a weighted range: rounded to nearest as llama-quantize does, or by another method that was tried.
  private func mixSchemes(
    _ mix: LlamaMix, by method: QuantizationMethod, for model: ModelDescription,
    tried: [String: Set<Scheme>]
  ) -> [String: Scheme]? {
    var schemes: [String: Scheme] = [:]
    for layer in model.layers {
      guard let type = mix.type(of: layer, in: model) else { return nil }
      let ranges: [RangeSearch] = [.weighted, .mse, .minMax]
      let scheme = ranges.map {
        Scheme(quantization: QuantizationScheme(block: type, range: $0, method: method))
      }.first { tried[layer.name]?.contains($0) == true }
      guard let scheme else { return nil }
      schemes[layer.name] = scheme
    }
    return schemes
  }
}
