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
