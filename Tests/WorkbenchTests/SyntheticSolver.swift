import Allocation
import Checkpoints
import Compression
import Engine
import Foundation

@testable import Workbench

/// Answers as an engine with sensitivity would give them, by rules simple enough to check by hand.
enum SyntheticSolver {
  /// Widths with 64 weights a group: what is measured and solved with.
  static let schemes = [2, 3, 4, 5, 6, 8].map {
    Scheme(quantization: QuantizationScheme(bits: $0))
  }

  /// Each bit less quadruples the KLD of a layer; down projections cost four times as much.
  static func sensitivity(of model: OpenModel, path: String? = nil) -> SensitivitySummary {
    SensitivitySummary(
      textPath: "calibration.txt", gradientTokens: 4096,
      layers: model.layers.indices.map { index in
        let factor = model.layers[index].name.hasSuffix("down_proj") ? 4.0 : 1
        return LayerSensitivity(
          layer: model.layers[index].name, divergencePerRelativeError: factor,
          schemes: schemes.map { scheme in
            let bits = Double(scheme.quantization?.bits ?? 16)
            return SchemeDivergence(
              scheme: scheme, bytes: model.bytes(of: index, under: scheme),
              divergence: factor * 0.2 * pow(4, -bits))
          })
      }, path: path)
  }

  /// Bytes of the whole model when every layer has one scheme.
  static func bytes(of model: OpenModel, under scheme: Scheme) -> Int {
    model.layers.indices.reduce(model.total.originalBytes) {
      $0 - model.layers[$1].bytes + model.bytes(of: $1, under: scheme)
    }
  }

  static func frontier(of model: OpenModel) -> Frontier {
    let uniform = schemes.map { scheme in
      let bits = scheme.quantization?.bits ?? 16
      return FrontierPoint(
        kind: .uniform, name: "\(bits) bit", bytes: bytes(of: model, under: scheme),
        divergence: 40 * pow(4, -Double(bits)))
    }
    let mixes = zip(uniform, uniform.dropFirst()).prefix(2).map { low, high in
      FrontierPoint(
        kind: .mix, name: low.bytes < high.bytes ? "Q\(low.name.prefix(1))_K" : "",
        bytes: (low.bytes + high.bytes) / 2,
        divergence: (low.divergence * high.divergence).squareRoot() * 0.9)
    }
    let curve = uniform.map {
      FrontierPoint(kind: .best, bytes: $0.bytes, divergence: $0.divergence / 2)
    }
    return Frontier(curve: curve, marks: uniform + mixes)
  }

  /// The widest scheme for all layers that fits, and one bit less for k projections.
  static func answer(_ target: BudgetTarget, for model: OpenModel) -> AllocationResult {
    let fitting = schemes.last { scheme in
      if case .bytes(let limit) = target { return bytes(of: model, under: scheme) <= limit }
      return scheme.quantization?.bits == 4
    }
    let scheme = fitting ?? schemes[0]
    let bits = scheme.quantization?.bits ?? 4
    let less = Scheme(quantization: QuantizationScheme(bits: max(2, bits - 1)))
    let byName = Dictionary(
      uniqueKeysWithValues: model.layers.map {
        ($0.name, $0.name.hasSuffix("k_proj") ? less : scheme)
      })
    let divergence = 20 * pow(4, -Double(bits))
    let total = bytes(of: model, under: scheme)
    return AllocationResult(
      target: target, schemes: byName, bytes: total,
      bitsPerWeight: Double(total) * 8 / Double(model.description.parameterCount),
      divergence: PredictedDivergence(
        mean: divergence, low: divergence * 0.8, high: divergence * 1.3),
      gap: 0.004)
  }
}

extension App {
  /// Sensitivity becomes known, and the frontier is drawn.
  mutating func measure(path: String? = nil) {
    guard let model = state.model else { return }
    send(.sensitivity(nil, SyntheticSolver.sensitivity(of: model, path: path)))
    send(.frontier(SyntheticSolver.frontier(of: model)))
    answerBudget()
  }

  /// The solver answers what was asked last.
  mutating func answerBudget() {
    guard let model = state.model, let target = state.budget.target else { return }
    send(.allocated(SyntheticSolver.answer(target, for: model)))
  }

  /// What the solver was asked for since the effects were cleared.
  var targets: [BudgetTarget] {
    commands.compactMap { if case .allocate(let target, _) = $0 { target } else { nil } }
  }

  /// What it may choose from, as told last.
  var lastSettings: AllocationSettings? {
    commands.reversed().lazy.compactMap { command -> AllocationSettings? in
      if case .allocate(_, let settings) = command { settings } else { nil }
    }.first
  }
}
