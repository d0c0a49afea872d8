import Compression
import Tensors

extension CompressedTensorsLimits {
  /// Layers that a target can hold by themselves, but not beside each other.
  ///
  /// - Parameters:
  ///   - schemes: of each layer, in the order of `shapes`.
  ///   - shapes: all layers of a model.
  ///   - target: one that loads ``ExportFormat/compressedTensors``.
  /// - Returns: the layers to change, each with the finest of the schemes it is fused with; none if all is well.
  public static func refusals(
    of schemes: [Scheme], for shapes: [LayerShape], target: ExportTarget
  ) -> [ExportRefusal] {
    guard target == .vllm || target == .vllmCPU else { return [] }
    var sets: [String: [Int]] = [:]
    for (number, shape) in shapes.enumerated() {
      if let set = shape.fusion { sets[set, default: []].append(number) }
    }
    var refusals: [Int: ExportRefusal] = [:]
    for numbers in sets.values {
      let stored = numbers.map { StoredForm(schemes[$0].quantization) }
      guard let finest = stored.max(), stored.contains(where: { $0 != finest }) else { continue }
      let names = numbers.map { String(shapes[$0].name.split(separator: ".").last ?? "") }
      for (number, form) in zip(numbers, stored) where form != finest {
        refusals[number] = ExportRefusal(
          layer: shapes[number].name,
          reason: "vLLM computes \(names.joined(separator: ", ")) as one layer, "
            + "so they are alike or none is quantized",
          nearest: finest.scheme(like: schemes[number]))
      }
    }
    return shapes.indices.compactMap { refusals[$0] }
  }

  /// Experts that are not like the others: transformers 5 makes one tensor of all, by the scheme of one group.
  ///
  /// Experts that are kept beside quantized layers do not load, and those of another scheme are decoded wrongly.
  /// Source: `integrations/compressed_tensors.py` of transformers 5.17 and 5.24.
  ///
  /// - Parameters:
  ///   - schemes: of each layer, in the order of `shapes`.
  ///   - shapes: all layers of a model.
  ///   - experts: places of layers whose experts are modules of their own.
  /// - Returns: the layers to change, each with the finest of their schemes that transformers can decode.
  static func expertRefusals(
    of schemes: [Scheme], for shapes: [LayerShape], experts: [Int]
  ) -> [ExportRefusal] {
    guard schemes.contains(where: { $0.quantization != nil }) else { return [] }
    let quantized = experts.filter {
      schemes[$0].quantization != nil
        && flaw(of: schemes[$0], for: shapes[$0], target: .transformers) == nil
    }
    let forms = quantized.map { StoredForm(schemes[$0].quantization) }
    let eightBits = QuantizationScheme(bits: 8, group: .channel, isSymmetric: true)
    let finest = (forms.max() ?? StoredForm(eightBits)).fitting(
      rowsOf: experts.map { shapes[$0].columns })
    return experts.compactMap { place in
      guard StoredForm(schemes[place].quantization) != finest else { return nil }
      return ExportRefusal(
        layer: shapes[place].name,
        reason: "transformers decodes all experts by one scheme: they are alike, and none is kept "
          + "where another layer is quantized",
        nearest: finest.scheme(like: schemes[place]))
    }
  }

  /// Why a layer's weights, once they are known, cannot be written for a target; nil if they can.
  ///
  /// vLLM divides all scales of fused NVFP4 layers by the largest of their divisors.
  static func flaw(of layer: CompressedLayer, target: ExportTarget) -> String? {
    guard target == .vllm, case .floats(let matrix) = layer.weights, matrix.format == .nvfp4,
      matrix.divisor != FloatGrid.usualDivisor, layer.shape.fusion != nil
    else { return nil }
    return
      "\(layer.shape.name): its weights are so large or small that their NVFP4 scales have another divisor "
      + "than those of the layers that vLLM fuses it with"
  }
}

/// What of a scheme the layers of a fused set share, the coarser the less.
private struct StoredForm: Comparable {
  /// 16 stands for layers that are not quantized.
  var bits = 16
  var group: GroupSize?
  var isSymmetric = true
  var float: FloatFormat?

  init(_ quantization: QuantizationScheme?) {
    guard let quantization else { return }
    (bits, group, isSymmetric, float) = (
      quantization.bits, quantization.group, quantization.isSymmetric, quantization.float
    )
  }

  static func < (first: StoredForm, second: StoredForm) -> Bool {
    (first.bits, -first.groupWeights, first.isSymmetric ? 0 : 1, first.float?.rawValue ?? "")
      < (
        second.bits, -second.groupWeights, second.isSymmetric ? 0 : 1, second.float?.rawValue ?? ""
      )
  }

  /// The same, by channel where the groups do not divide all of these rows.
  func fitting(rowsOf columns: [Int]) -> StoredForm {
    guard case .size(let size) = group, columns.contains(where: { $0 % size != 0 }) else {
      return self
    }
    var form = self
    form.group = .channel
    return form
  }

  private var groupWeights: Int {
    switch group {
    case nil: 0
    case .size(let size): size
    case .channel: .max
    }
  }

  /// This form, found as another scheme finds its own.
  func scheme(like scheme: Scheme) -> Scheme {
    var result = scheme
    if let float {
      result.quantization = QuantizationScheme(float: float)
      return result
    }
    result.quantization = group.map { group in
      scheme.quantization?.with(bits: bits, group: group, isSymmetric: isSymmetric)
        ?? QuantizationScheme(bits: bits, group: group, isSymmetric: isSymmetric)
    }
    return result
  }
}
