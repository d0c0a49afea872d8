import Tensors
import JSON

/// What a checkpoint's files say, before it is known what they make.
struct CheckpointContents {
  let table: TensorTable
  let format: CheckpointFormat
  let source: CheckpointSource
  /// A directory's config.json; nil for GGUF, and where there is none.
  let config: JSONFile?
  let quantization: Quantization?
  /// As it was opened.
  let path: String
  /// For people.
  let name: String
  /// Names in messages what says how large tensors are.
  let settings: String
  /// What the format calls the architecture; nil where it does not say.
  let architecture: String?
  /// What is to be said of how the files were found.
  let notes: [String]

  var locator: TensorLocator {
    TensorLocator(table: table, format: format, quantization: quantization, settings: settings)
  }
}

extension Checkpoint {
  /// A model of whatever the files hold: it runs if its architecture is known, and has layers in any case.
  ///
  /// - Throws: ``CheckpointError`` when a layer that was quantized before is damaged.
  init(_ contents: CheckpointContents) throws(CheckpointError) {
    do throws(CheckpointError) {
      try self.init(running: contents)
    } catch {
      try self.init(generic: contents, obstacle: Self.obstacle(error))
    }
  }

  /// A model of a known architecture whose tensors are all there.
  private init(running contents: CheckpointContents) throws(CheckpointError) {
    let running = try contents.running()
    let (architecture, blueprint) = (running.architecture, running.blueprint)
    let table = contents.table
    var builder = DescriptionBuilder(table: table)
    for tensor in architecture.tensors(of: blueprint) {
      let place = try contents.locator.locate(tensor)
      builder.add(tensor, at: place, isTied: blueprint.tiesEmbeddings)
    }
    let kept = builder.kept
    let unused = try contents.notes(onUnused: kept, of: architecture, blueprint)
    self.init(
      builder, contents, kept: kept,
      description: ModelDescription(
        name: contents.name, path: contents.path, format: contents.format,
        architecture: architecture.name, blueprint: blueprint, abilities: .all,
        parameterCount: builder.parameterCount(with: kept), tensorBytes: table.byteCount,
        fingerprint: table.fingerprint, layers: builder.layers,
        notes: contents.notes + running.notes + unused
          + contents.quantizationNotes(on: builder.layers),
        headerFingerprint: table.headerFingerprint))
  }

  /// A model that does not run.
  private init(generic contents: CheckpointContents, obstacle: String) throws(CheckpointError) {
    let table = contents.table
    var builder = DescriptionBuilder(table: table)
    let generic = GenericLayers(
      contents.locator, isTransposed: Architecture.isTransposed(contents.architecture),
      blockCount: contents.decoderBlockCount)
    for layer in try generic.layers() { builder.add(layer) }
    let kept = builder.kept
    self.init(
      builder, contents, kept: kept,
      description: ModelDescription(
        name: contents.name, path: contents.path, format: contents.format,
        architecture: contents.architecture ?? "unknown", blueprint: nil,
        abilities: Abilities(runningObstacle: obstacle, gradientObstacle: obstacle),
        parameterCount: builder.parameterCount(with: kept), tensorBytes: table.byteCount,
        fingerprint: table.fingerprint, layers: builder.layers,
        notes: contents.notes + generic.notes + contents.quantizationNotes(on: builder.layers),
        headerFingerprint: table.headerFingerprint, serving: contents.statedServing))
  }

  private init(
    _ builder: DescriptionBuilder, _ contents: CheckpointContents, kept: [TensorEntry],
    description: ModelDescription
  ) {
    self.init(
      description: description, layers: builder.sources, kept: kept, table: contents.table,
      source: contents.source, layerTensors: builder.layerTensors)
  }

  /// Why a model does not run, as one sentence about it.
  private static func obstacle(_ error: CheckpointError) -> String {
    let sentence = error.tensor.map { "tensor \($0): \(error.reason)" } ?? error.reason
    return error.hint.map { "\(sentence); \($0)" } ?? sentence
  }
}

/// Puts a description together from what was found in the files.
struct DescriptionBuilder {
  private let table: TensorTable
  private(set) var sources: [String: LayerSource] = [:]
  private(set) var layers: [LayerDescription] = []
  /// The files' tensors that make each layer, norm or bias.
  private(set) var layerTensors: [String: [String]] = [:]

  init(table: TensorTable) { self.table = table }

  /// Tensors that nothing was made of.
  var kept: [TensorEntry] {
    let known = Set(layerTensors.values.joined())
    return table.entries.filter { !known.contains($0.name) }
  }

  /// Weights of all tensors: those that layers stand for, and the elements of all others.
  ///
  /// - Parameter kept: Tensors that nothing was made of.
  /// - Returns: Their number.
  func parameterCount(with kept: [TensorEntry]) -> Int {
    let names = Set(layers.map(\.name))
    let vectors = layerTensors.lazy.filter { !names.contains($0.key) }
      .flatMap(\.value).compactMap { table[$0] }
    return layers.reduce(0) { $0 + $1.parameters }
      + kept.reduce(0) { $0 + $1.shape.reduce(1, *) }
      + vectors.reduce(0) { $0 + $1.shape.reduce(1, *) }
  }

  /// Adds a tensor of a known architecture; `isTied` says whether its embedding is its head too.
  mutating func add(_ tensor: ModelTensor, at place: LocatedTensor, isTied: Bool) {
    sources[tensor.name] = place.source
    layerTensors[tensor.name] = place.tensorNames
    guard let role = tensor.role else { return }
    let isHead = role == .embedTokens && isTied
    layers.append(
      LayerDescription(
        name: tensor.name, role: role, block: tensor.block, ggufName: tensor.ggufName,
        site: isHead ? .head : InputSite(role: role, block: tensor.block), fusion: tensor.fusion,
        count: tensor.count, rows: tensor.shape[0], columns: tensor.shape[1], type: place.type,
        scheme: place.scheme, bytes: place.byteCount))
  }

  mutating func add(_ layer: GenericLayers.Found) {
    sources[layer.name] = layer.place.source
    layerTensors[layer.name] = layer.place.tensorNames
    let block = GenericLayers.block(of: layer.name)
    layers.append(
      LayerDescription(
        name: layer.name, role: GenericLayers.role(layer.name, isBlock: block != nil),
        block: block, ggufName: layer.ggufName, count: layer.count, rows: layer.rows,
        columns: layer.columns, type: layer.place.type, scheme: layer.place.scheme,
        bytes: layer.place.byteCount))
  }
}
