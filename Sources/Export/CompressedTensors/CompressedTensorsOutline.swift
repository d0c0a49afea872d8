import Checkpoints
import Compression
import Tensors
import JSON

/// What a compressed-tensors directory's weights come from beside the plan.
struct CompressedTensorsOutline: Codable, Hashable, Sendable {
  let target: ExportTarget
  private let shapes: [LayerShape]
  /// What kept layers are under: a scheme where their codes stay codes, else that they are kept.
  private let kept: [Scheme]
  private let others: [OtherTensors.Entry]
  /// The checkpoint's tensors of each layer that are copied where it is kept; nil where they cannot be.
  private let copies: [[OtherTensors.Entry]?]
  /// Why a layer has no form but its own, if it has none.
  private let obstacles: [String?]
  /// Whether a layer that is kept stays in codes that compressed-tensors has no form for.
  private let carried: [Bool]
  /// Bytes that the checkpoint's own quantization_config adds to a config.json; 0 where it does not stay.
  private let carriedBytes: Int
  /// The heads in each layer's columns, where it has them in another order than readers.
  private let tilings: [HeadTiling?]
  private let isOfHuggingFace: Bool
  private let tiesEmbeddings: Bool
  private let shardBytes: Int

  init(
    of checkpoint: Checkpoint, for target: ExportTarget, shardBytes: Int, others: OtherTensors
  ) {
    let description = checkpoint.description
    self.target = target
    self.shardBytes = shardBytes
    shapes = description.layerShapes
    tiesEmbeddings = description.tiesEmbeddings
    isOfHuggingFace = description.format == .huggingFace
    self.others = others.entries
    let layouts = Dictionary(
      description.tensors.map { ($0.name, $0.layout) }, uniquingKeysWith: { first, _ in first })
    let obstacles = shapes.map { shape in
      Self.obstacle(to: shape, layouts[shape.name] ?? .plain, in: checkpoint)
    }
    // Codes that no other form has stay as they are, under the checkpoint's own quantization_config.
    let carried = zip(obstacles, description.layers).map { obstacle, layer in
      obstacle != nil && layer.scheme == .mxfp4 && description.format == .huggingFace
    }
    kept = zip(shapes, carried).map { shape, isCarried in
      isCarried
        ? .keep : Scheme(keeping: checkpoint.heldFormat(of: shape.name), of: shape, for: target)
    }
    copies = zip(zip(shapes, carried), description.layers).map { element, layer in
      let (shape, isCarried) = element
      guard description.format == .huggingFace, layer.scheme == nil || isCarried else { return nil }
      let stored = checkpoint.tensors(ofLayer: shape.name)
      return stored.isEmpty ? nil : stored.map(OtherTensors.Entry.init)
    }
    self.obstacles = obstacles
    self.carried = carried
    carriedBytes =
      carried.contains(true)
      ? JSONObject.bytesAdded(by: try? CompressedTensorsEncoding.ownQuantization(of: checkpoint))
      : 0
    let known = Dictionary(
      description.tensors.compactMap { tensor in tensor.columnTiling.map { (tensor.name, $0) } },
      uniquingKeysWith: { first, _ in first })
    tilings = shapes.map { known[$0.name] }
  }

  /// Why readers would not find a layer that is not copied; nil if they do.
  ///
  /// Seen with transformers 5.24, which puts codes in place of linear modules alone: experts that are one tensor are none.
  private static func obstacle(
    to shape: LayerShape, _ layout: StackLayout, in checkpoint: Checkpoint
  ) -> String? {
    if layout != .plain {
      return "its experts are one tensor, for which compressed-tensors has no form"
    }
    if checkpoint.isTransposed(shape.name), shape.count == 1 {
      return "it is stored with inputs for rows, and compressed-tensors has no form for that"
    }
    let stored =
      checkpoint.description.format == .huggingFace
      ? checkpoint.tensors(ofLayer: shape.name) : []
    let architecture = Architecture.named(checkpoint.description.architecture)
    // Those that were one tensor and lost experts are parts of it.
    let wasWhole =
      stored.isEmpty && architecture?.fusesExperts == true
      && checkpoint.description.format == .huggingFace
    let isWhole = wasWhole || stored.contains { $0.shape.count > 2 }
    guard shape.count > 1, isWhole || !shape.hasNumberedExperts else { return nil }
    return "its experts are one tensor, for which compressed-tensors has no form"
  }

  func refusals(of schemes: [Scheme]) -> [ExportRefusal] {
    let stored = resolved(schemes)
    var refusals = TargetLimits.of(target).refusals(of: stored, for: shapes)
    var known = Set(refusals.map(\.layer))
    if target == .transformers {
      let experts = shapes.indices.filter {
        shapes[$0].hasNumberedExperts && obstacles[$0] == nil
      }
      refusals += CompressedTensorsLimits.expertRefusals(of: stored, for: shapes, experts: experts)
        .filter { !known.contains($0.layer) }
      known.formUnion(refusals.map(\.layer))
    }
    let carries = zip(carried, schemes).contains { $0 && $1.keepsLayer }
    for (place, shape) in shapes.enumerated() where !known.contains(shape.name) {
      if carries, !carried[place], stored[place].quantization != nil {
        refusals.append(
          ExportRefusal(layer: shape.name, reason: Self.carryingReason, nearest: .keep))
        continue
      }
      guard let reason = obstacles[place], !isPlain(place, schemes[place]) else { continue }
      refusals.append(ExportRefusal(layer: shape.name, reason: reason, nearest: nil))
    }
    for (place, shape) in shapes.enumerated() {
      guard let tiling = tilings[place], !refusals.contains(where: { $0.layer == shape.name }),
        let refusal = Self.refusal(of: stored[place], for: shape, tiling)
      else { continue }
      refusals.append(refusal)
    }
    return refusals
  }

  /// Why no layer is quantized beside such as stay in codes that compressed-tensors has no form for.
  private static let carryingReason =
    "experts are kept in MXFP4, which config.json can say only where all other layers are kept too"

  /// Whether a layer has no form under a scheme, whatever it would do by itself.
  func lacksForm(of scheme: Scheme, at place: Int) -> Bool {
    if carried.contains(true) { return !scheme.keepsLayer }
    return obstacles[place] != nil && !isPlain(place, scheme)
  }

  /// Why columns cannot be put in the order that readers want them in; nil if they can.
  private static func refusal(
    of scheme: Scheme, for shape: LayerShape, _ tiling: HeadTiling
  ) -> ExportRefusal? {
    let head = shape.columns / (tiling.groups * tiling.heads)
    guard let quantization = scheme.quantization else { return nil }
    let group =
      quantization.float.map { $0.groupSize ?? shape.columns }
      ?? quantization.group.weights(inRowOf: shape.columns)
    guard group != shape.columns, head % group != 0 else { return nil }
    var nearest = scheme
    let size = [128, 64, 32].first { head % $0 == 0 && $0 < group }
    nearest.quantization = QuantizationScheme(
      bits: quantization.bits, group: size.map { .size($0) } ?? .channel,
      isSymmetric: quantization.isSymmetric, method: quantization.method)
    return ExportRefusal(
      layer: shape.name,
      reason: "its groups of \(group) span heads of \(head), which readers have in another order",
      nearest: quantization.float == nil ? nearest : .keep)
  }

  /// Whether a layer's weights are written as they are, or decoded from GGUF's blocks.
  private func isPlain(_ place: Int, _ scheme: Scheme) -> Bool {
    scheme.keepsLayer && (copies[place] != nil || !isOfHuggingFace)
  }

  /// How every layer is stored.
  func encodings(of schemes: [Scheme]) -> [LayerEncoding] {
    zip(zip(zip(resolved(schemes), copies), tilings), shapes).map { element, shape in
      let ((scheme, copies), tiling) = element
      return LayerEncoding(
        shape: shape,
        format: scheme.quantization.map { ModuleFormat($0, for: target) },
        plainType: scheme.sparsity == nil && !shape.type.isQuantized
          ? shape.type : shape.storageType,
        copies: scheme.keepsLayer ? copies : nil, columnTiling: tiling)
    }
  }

  /// The tensors of layers, as they are given, and all others; those of an element stay in one file.
  func tensors(with layers: [[SafetensorsLayout.Tensor]]) -> [[SafetensorsLayout.Tensor]] {
    let rest = others.map(\.layout)
    // Large tensors that stand beside the model may each need a file.
    let (small, large) = (
      rest.filter { $0.byteCount < 1 << 20 }, rest.filter { $0.byteCount >= 1 << 20 }
    )
    return layers + (small.isEmpty ? [] : [small]) + large.map { [$0] }
  }

  /// What config.json says of layers; nil when none is quantized.
  func quantization(of encodings: [LayerEncoding]) -> JSONValue? {
    ModuleGroups(encodings, others: others, tiesEmbeddings: tiesEmbeddings, target: target)?.json
  }

  /// Whether the checkpoint's own quantization_config stays, since layers under it do.
  func carriesCodes(_ encodings: [LayerEncoding]) -> Bool {
    zip(encodings, carried).contains { $0.copies != nil && $1 }
  }

  /// Bytes of some layers, and of what the files hold beside layers and beside what no plan changes.
  func sizes(
    of places: [Int], _ schemes: [Scheme], originalBytes: [Int]
  ) -> (layers: [Int: LayerSize], overhead: Int) {
    let resolved = resolved(schemes)
    let all = encodings(of: schemes)
    let encodings = places.map { all[$0] }
    let tensors = encodings.map(\.tensors)
    var layers: [Int: LayerSize] = [:]
    for (place, stored) in zip(places, tensors) {
      layers[place] = LayerSize(
        of: shapes[place], scheme: resolved[place], original: originalBytes[place],
        written: stored.reduce(0) { $0 + $1.byteCount })
    }
    let files = SafetensorsShards.files(of: self.tensors(with: tensors), shardBytes: shardBytes)
    let weights = layers.values.reduce(0) { $0 + $1.total }
    let config =
      carriesCodes(all) ? carriedBytes : JSONObject.bytesAdded(by: quantization(of: encodings))
    return (layers, files.reduce(config) { $0 + $1.byteCount } - weights)
  }

  /// The schemes with those in place that kept layers are under already.
  private func resolved(_ schemes: [Scheme]) -> [Scheme] {
    zip(schemes, kept).map { $0.keepsLayer ? $1 : $0 }
  }
}

extension Scheme {
  /// What a layer that is kept has been under already: its codes stay, if it has any.
  ///
  /// Floats that the target cannot hold become weights of 16 bits.
  fileprivate init(
    keeping format: WeightFormat?, of shape: LayerShape, for target: ExportTarget
  ) {
    guard let quantization = format.flatMap({ QuantizationScheme($0) }) else {
      self = .keep
      return
    }
    self.init(quantization: quantization)
    if quantization.float != nil,
      CompressedTensorsLimits.flaw(of: self, for: shape, target: target) != nil
    {
      self = .keep
    }
  }
}

extension QuantizationScheme {
  /// The scheme that weights of a checkpoint are under; nil for formats that no scheme has.
  ///
  /// Who chose the codes nobody can know.
  init?(_ format: WeightFormat) {
    if let floats = format.floats {
      self.init(float: floats)
      return
    }
    switch format {
    case .integer(let bits, .channel, let isSymmetric):
      self.init(bits: bits, group: .channel, isSymmetric: isSymmetric)
    case .integer(let bits, .group(let size), let isSymmetric):
      self.init(bits: bits, group: .size(size), isSymmetric: isSymmetric)
    default: return nil
    }
  }
}

extension ModuleFormat {
  /// How a target is given weights under a scheme that it can hold, which is no GGUF block type.
  ///
  /// vLLM's kernels on a CPU for 8 bits round each token's inputs as well.
  fileprivate init(_ scheme: QuantizationScheme, for target: ExportTarget) {
    if let float = scheme.float {
      self.init(float)
      return
    }
    let sharing: ScaleSharing =
      switch scheme.group {
      case .channel: .channel
      case .size(let size): .group(size)
      }
    self.init(
      bits: scheme.bits, sharing: sharing, isSymmetric: scheme.isSymmetric,
      roundsInputs: target == .vllmCPU && scheme.bits == 8)
  }
}
