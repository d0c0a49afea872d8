import Checkpoints
import Compression
import Inference
import Tensors

/// What a GGUF file's tensors come from beside the plan.
struct GGUFOutline: Codable, Hashable, Sendable {
  private let shapes: [LayerShape]
  /// The schemes of layers that the checkpoint holds in integers, which GGUF has not, by index.
  private let integers: [Int: Scheme]

  init(of checkpoint: Checkpoint) {
    let shapes = checkpoint.description.layerShapes
    self.shapes = shapes
    integers = Dictionary(
      uniqueKeysWithValues: shapes.enumerated().compactMap { place, shape in
        guard let codes = checkpoint.heldCodes(of: shape.name), case .integers = codes else {
          return nil
        }
        return (place, Scheme(codes, inRowsOf: shape.columns))
      })
  }

  func refusals(of schemes: [Scheme]) -> [ExportRefusal] {
    zip(schemes, shapes).enumerated().compactMap { place, layer in
      let (scheme, shape) = layer
      if scheme.keepsLayer, let held = integers[place] {
        return ExportRefusal(
          layer: shape.name, reason: "it is kept in codes that llama.cpp does not read",
          nearest: GGUFLimits.flaw(of: held, for: shape)?.nearest)
      }
      return TargetLimits.of(.llamaCpp).refusal(of: scheme, for: shape)
    }
  }

  /// The element type of every layer.
  func types(of schemes: [Scheme]) -> [ElementType] {
    zip(schemes, shapes).map { $0.ggufType(for: $1) }
  }

  /// Bytes of some layers, and of the zeros between tensors.
  func sizes(
    of places: [Int], _ schemes: [Scheme], originalBytes: [Int]
  ) -> (layers: [Int: LayerSize], overhead: Int) {
    let types = types(of: schemes)
    var layers: [Int: LayerSize] = [:]
    var overhead = 0
    for place in places {
      let bytes = byteCount(place, types[place])
      layers[place] = LayerSize(
        of: shapes[place], scheme: schemes[place], original: originalBytes[place], written: bytes)
      overhead += GGUFFile.padded(bytes) - bytes
    }
    return (layers, overhead)
  }

  /// Bytes of all layers in one plain type, with the zeros after them.
  func paddedBytes(in type: ElementType) -> Int {
    shapes.indices.reduce(0) { $0 + GGUFFile.padded(byteCount($1, type)) }
  }

  private func byteCount(_ place: Int, _ type: ElementType) -> Int {
    let shape = shapes[place]
    return GGUFFile.Tensor(name: shape.name, type: type, shape: [shape.rows, shape.columns])
      .byteCount
  }
}
