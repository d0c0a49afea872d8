import Checkpoints
import Compression
import Export
import Inference
import Tensors
import Testing
import TestSupport

/// A model all of whose layers are compressed, in memory.
struct CompressedModel {
  let export: ExportModel
  let layers: [CompressedLayer]

  /// Compresses every layer of `checkpoint` under the scheme that `scheme` gives it.
  init(_ checkpoint: Checkpoint, scheme: (LayerShape) throws -> Scheme) throws {
    let shapes = checkpoint.description.layerShapes
    let schemes = try shapes.map(scheme)
    export = ExportModel(checkpoint: checkpoint, schemes: schemes)
    layers = try zip(shapes, schemes).map { shape, scheme in
      let weights = try checkpoint.matrix(of: shape.name)
      var compressor = try LayerCompressor(matrix: weights, shape: shape, scheme: scheme)
      while !compressor.isFinished { try compressor.step(rows: compressor.suggestedStep) }
      return try #require(compressor.finish(original: weights.byteCount)).layer
    }
  }

  /// Names of the norms.
  var norms: [String] {
    let blocks = 0..<export.checkpoint.description.blockCount
    return blocks.flatMap {
      ["model.layers.\($0).input_layernorm", "model.layers.\($0).post_attention_layernorm"]
    } + ["model.norm"]
  }

  /// The one file that `encoding` makes of the model.
  func file(_ encoding: some ModelEncoding) throws -> [UInt8] {
    #expect(encoding.layout.files.count == 1 && encoding.layout.copies.isEmpty)
    return try #require(files(encoding).first).bytes
  }

  /// The files that `encoding` makes of the model, but for copies; layers are encoded last to first.
  ///
  /// Every slot of the layout is filled, and nothing else.
  func files(_ encoding: some ModelEncoding) throws -> [(name: String, bytes: [UInt8])] {
    var encoded = try layers.reversed().flatMap { try encoding.tensors(of: $0) }
    for name in encoding.otherNames { encoded.append(try encoding.other(name, norms: [:])) }
    let bytes = Dictionary(uniqueKeysWithValues: encoded.map { ($0.name, $0.bytes) })
    let slots = encoding.layout.files.flatMap(\.tensors)
    #expect(bytes.count == slots.count && Set(bytes.keys) == Set(slots.map(\.name)))
    return try encoding.layout.files.map { file in
      var contents = file.header
      for slot in file.tensors {
        #expect(slot.offset >= contents.count, "\(slot.name) overlaps what is before it")
        contents += Array(repeating: 0, count: slot.offset - contents.count)
        contents += try #require(bytes[slot.name])
        #expect(contents.count == slot.offset + slot.byteCount, "\(slot.name)")
      }
      contents += Array(repeating: 0, count: file.byteCount - contents.count)
      return (file.name, contents)
    }
  }

  /// The model that runs with the compressed layers.
  func decoder(on pool: WorkerPool) throws -> Inference.Decoder {
    var decoder = try Inference.Decoder(checkpoint: export.checkpoint, pool: pool)
    for layer in layers { try decoder.setLayer(layer.shape.name, layer.weights) }
    return decoder
  }
}

/// Files that tests read again.
enum TestFiles {
  /// Calls `body` with the path of a new file of these bytes, and removes it afterwards.
  static func with<R>(
    _ bytes: [UInt8], named name: String, _ body: (String) throws -> R
  ) throws -> R {
    try with([(name, bytes)]) { try body("\($0)/\(name)") }
  }

  /// Calls `body` with the path of a new folder of these files, and removes it afterwards.
  static func with<R>(
    _ files: [(name: String, bytes: [UInt8])], _ body: (String) throws -> R
  ) throws -> R {
    let folder = try TemporaryFolder(files)
    return try withExtendedLifetime(folder) { try body(folder.path) }
  }
}
