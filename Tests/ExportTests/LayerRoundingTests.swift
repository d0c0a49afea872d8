import Checkpoints
import Compression
import Export
import Foundation
import Tensors
import TestSupport
import Testing

/// Layers that are rounded while they are written, against those that are compressed and then encoded.
struct LayerRoundingTests {
  private static let pool = WorkerPool(threads: 3)

  private static func open(_ name: String) throws -> Checkpoint {
    try Checkpoint.open(Repository.path("Tests/CheckpointsTests/Fixtures/\(name)"))
  }

  /// Rounds what can be, and writes the rest as a compressor has it.
  ///
  /// - Returns: the layers that were rounded.
  private static func write(
    _ model: CompressedModel, _ encoding: some ModelEncoding, to path: String, _ form: ExportForm,
    duration: Duration
  ) throws -> Set<String> {
    let checkpoint = model.export.checkpoint
    var writer = try ExportWriter(
      encoding.layout, to: path, as: form, replaces: false, purpose: "test")
    let rounded = try model.layers.compactMap { layer in
      RowRounding(layer.scheme, of: try checkpoint.matrix(of: layer.shape.name), shape: layer.shape)
    }.compactMap { encoding.rounded($0) }
    var rounding = LayerRounding(rounded, of: checkpoint)
    var done: Set<String> = []
    while !rounding.isFinished {
      done.formUnion(try rounding.step(into: &writer, pool: pool, for: duration))
    }
    for layer in model.layers where !done.contains(layer.shape.name) {
      for tensor in try encoding.tensors(of: layer) { _ = try writer.write(tensor) }
    }
    for name in encoding.otherNames { _ = try writer.write(try encoding.other(name, norms: [:])) }
    try writer.finish()
    return done
  }

  @Test(arguments: ["tiny", "tiny.gguf"], [Duration.zero, .seconds(60)])
  func filesAreThoseOfCompressedLayers(name: String, duration: Duration) throws {
    let checkpoint = try Self.open(name)
    let blocks: [BlockType] = [.q8_0, .q4_0, .q5_1, .q4_1, .q5_0, .iq4_nl]
    var count = 0
    let model = try CompressedModel(checkpoint) { _ in
      count += 1
      let range: RangeSearch = count % 2 == 0 ? .minMax : .mse
      return count % 7 == 0
        ? .keep
        : Scheme(
          quantization: QuantizationScheme(block: blocks[count % blocks.count], range: range))
    }
    let encoding = try GGUFEncoding(model: model.export)
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/model.gguf"
    let done = try Self.write(model, encoding, to: path, .file, duration: duration)
    #expect(done == Set(model.layers.filter { !$0.scheme.keepsLayer }.map(\.shape.name)))
    #expect(try [UInt8](Data(contentsOf: URL(filePath: path))) == model.file(encoding))
  }

  @Test(arguments: ["tiny", "tiny.gguf"])
  func packedLayersAreThoseOfCompressedOnes(name: String) throws {
    let checkpoint = try Self.open(name)
    var bits = 1
    let model = try CompressedModel(checkpoint) { shape in
      guard !shape.isEmbedding else { return .keep }
      bits = bits % 8 + 1
      return Scheme(
        quantization: QuantizationScheme(
          bits: max(bits, 2), group: bits % 3 == 0 ? .channel : .size(32),
          isSymmetric: bits % 2 == 0,
          range: bits % 4 == 0 ? .mse : .minMax))
    }
    let encoding = try CompressedTensorsEncoding(model: model.export, target: .transformers)
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/model"
    let done = try Self.write(model, encoding, to: path, .directory, duration: .zero)
    #expect(done == Set(model.layers.filter { !$0.scheme.keepsLayer }.map(\.shape.name)))
    for file in try model.files(encoding) {
      #expect(
        try [UInt8](Data(contentsOf: URL(filePath: "\(path)/\(file.name)"))) == file.bytes,
        "\(file.name)")
    }
  }
}
