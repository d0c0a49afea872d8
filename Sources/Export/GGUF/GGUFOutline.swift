import Checkpoints
import Compression
import Tensors

/// How llama.cpp holds what makes keys and values of latent rows: a tensor of keys, each head's matrix with inputs for
/// rows, and one of values.
struct LatentSplit: Codable, Hashable, Sendable {
  let heads: Int
  /// Values of the part of a key that a head has to itself.
  let keySize: Int
  let valueSize: Int
  let rank: Int

  /// nil for attention without latent rows.
  init?(_ attention: AttentionFacts) {
    guard let latent = attention.latent else { return nil }
    heads = attention.headCount
    keySize = latent.ownSize(ofHead: attention.headSize)
    valueSize = latent.valueSize
    rank = latent.rank
  }

  var shapes: [[Int]] { [[heads, rank, keySize], [heads, valueSize, rank]] }

  /// The elements of both tensors, of a matrix in a plain type.
  func bytes(of matrix: StoredMatrix) -> [[UInt8]] {
    let width = keySize + valueSize
    func rows(_ range: Range<Int>) -> [Int] {
      (0..<heads).flatMap { head in range.map { head * width + $0 } }
    }
    let keys = matrix.selecting(rows: rows(0..<keySize), columns: nil).transposed(count: heads)
    let values = matrix.selecting(rows: rows(keySize..<width), columns: nil)
    return [keys.bytes(in: .plain), values.bytes(in: .plain)]
  }
}

/// A layer as GGUF files hold it, but for its type.
struct GGUFLayer: Codable, Hashable, Sendable {
  let shape: LayerShape
  /// The tensors that hold it, by name: two where gates and ups are one layer, inputs and gate of a recurrence, or
  /// keys and values of latent rows.
  let names: [String]
  /// Matrices in each of them.
  let count: Int
  /// nil where rows of the tensors are rows of the layer.
  let split: LatentSplit?
  /// How its rows lie in the one tensor that holds it.
  let rowOrder: RowOrder
  /// What the layer is one matrix of; nil for none.
  private let delta: DeltaFacts?

  /// `isWhole` says whether GGUF, too, has gates and ups of experts in one tensor, and `isApart` whether it has those of MLPs in
  /// two.
  init(
    _ layer: LayerDescription, _ tensor: ModelTensor?, shape: LayerShape, _ blueprint: Blueprint?,
    isWhole: Bool, isApart: Bool, split: LatentSplit?
  ) {
    self.shape = shape
    let block = tensor?.block.map { "blk.\($0)." } ?? ""
    let parts: [Part] =
      switch tensor?.part {
      case .expertGateUp? where !isWhole: [.expertGate, .expertUp]
      case .fusedGateUp? where isApart: [.gate, .up]
      case .sharedGateUp?: [.sharedGate, .sharedUp]
      case .fusedDelta?: [.deltaInputs, .deltaGate]
      case .latentUp? where split != nil: [.latentKey, .latentValue]
      default: []
      }
    names =
      parts.isEmpty ? [layer.ggufName] : parts.map { "\(block)\($0.ggufName).weight" }
    count = tensor?.ggufCount ?? shape.count
    self.split = tensor?.part == .latentUp ? split : nil
    rowOrder = tensor?.ggufOrder ?? .plain
    delta =
      tensor?.part == .fusedDelta
      ? tensor?.block.flatMap { blueprint?.blocks[$0].delta } : nil
  }

  /// Which of the layer's rows each tensor holds, in its order, where there are several.
  var rows: [[Range<Int>]] {
    if let delta {
      let columns = delta.fusedColumns
      return [columns.queries + columns.keys + columns.values, columns.gates]
    }
    // Each expert has its rows of the first tensor, then those of the second.
    let part = shape.rows / (shape.count * names.count)
    return names.indices.map { place in
      (0..<shape.count).map { expert in
        let start = (expert * names.count + place) * part
        return start..<start + part
      }
    }
  }
}

/// What a GGUF file's tensors come from beside the plan.
struct GGUFOutline: Codable, Hashable, Sendable {
  private let layers: [GGUFLayer]
  /// The schemes of layers that the checkpoint holds in integers, which GGUF has not, by index.
  private let integers: [Int: Scheme]
  /// The block types whose codes are those of the checkpoint's layers, by index.
  private let held: [Int: ElementType]

  init(of checkpoint: Checkpoint) {
    let model = checkpoint.description
    let tensors = Dictionary(
      model.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let architecture = Architecture.named(model.architecture)
    let isWhole = architecture?.fusesExpertsInGGUF ?? false
    let isApart = architecture?.fusesShared ?? false
    let attention = model.blueprint?.attention
    let split = model.format == .huggingFace ? attention.flatMap(LatentSplit.init) : nil
    layers = zip(model.layers, model.layerShapes).map {
      GGUFLayer(
        $0, tensors[$0.name], shape: $1, model.blueprint, isWhole: isWhole, isApart: isApart,
        split: split)
    }
    integers = Dictionary(
      uniqueKeysWithValues: model.layerShapes.enumerated().compactMap { place, shape in
        guard let format = checkpoint.heldFormat(of: shape.name), case .integer = format,
          let quantization = QuantizationScheme(format)
        else { return nil }
        return (place, Scheme(quantization: quantization))
      })
    held = Dictionary(
      uniqueKeysWithValues: model.layers.enumerated().compactMap { place, layer in
        checkpoint.heldFormat(of: layer.name) == .mxfp4 ? (place, .mxfp4) : nil
      })
  }

  func refusals(of schemes: [Scheme]) -> [ExportRefusal] {
    zip(schemes, layers).enumerated().compactMap { place, layer in
      let (scheme, shape) = (layer.0, layer.1.shape)
      if layer.1.split != nil, !scheme.keepsLayer {
        return ExportRefusal(
          layer: shape.name,
          reason: "llama.cpp wants its keys turned round, and blocks run along rows: it is kept",
          nearest: .keep)
      }
      if scheme.keepsLayer, let held = integers[place] {
        return ExportRefusal(
          layer: shape.name, reason: "it is kept in codes that llama.cpp does not read",
          nearest: GGUFLimits.flaw(of: held, for: shape)?.nearest)
      }
      return TargetLimits.of(.llamaCpp).refusal(of: scheme, for: shape)
    }
  }

  /// Whether a layer has no form under a scheme, whatever its blocks.
  func lacksForm(of scheme: Scheme, at place: Int) -> Bool {
    layers[place].split != nil && !scheme.keepsLayer
  }

  /// The element type of every layer.
  func types(of schemes: [Scheme]) -> [ElementType] {
    zip(schemes, layers).enumerated().map { place, layer in
      let (scheme, shape) = (layer.0, layer.1.shape)
      return (scheme.keepsLayer ? held[place] : nil) ?? scheme.ggufType(for: shape)
    }
  }

  /// Where the layers go when they have these types.
  func places(types: [ElementType]) -> [GGUFPlace] {
    zip(layers, types).map { GGUFPlace($0, type: $1) }
  }

  /// Bytes of some layers, and of the zeros between tensors.
  func sizes(
    of places: [Int], _ schemes: [Scheme], originalBytes: [Int]
  ) -> (layers: [Int: LayerSize], overhead: Int) {
    let types = types(of: schemes)
    var sizes: [Int: LayerSize] = [:]
    var overhead = 0
    for place in places {
      let tensors = GGUFPlace(layers[place], type: types[place]).tensors
      let bytes = tensors.reduce(0) { $0 + $1.byteCount }
      sizes[place] = LayerSize(
        of: layers[place].shape, scheme: schemes[place], original: originalBytes[place],
        written: bytes)
      overhead += tensors.reduce(0) { $0 + GGUFFile.padded($1.byteCount) } - bytes
    }
    return (sizes, overhead)
  }

  /// Bytes of all layers in one plain type, with the zeros after them.
  func paddedBytes(in type: ElementType) -> Int {
    layers.reduce(0) { sum, layer in
      GGUFPlace(layer, type: type).tensors.reduce(sum) { $0 + GGUFFile.padded($1.byteCount) }
    }
  }
}
