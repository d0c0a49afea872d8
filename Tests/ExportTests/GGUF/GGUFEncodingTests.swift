@testable import Checkpoints
import Compression
import Export
import Inference
import Tensors
import TestSupport
import Testing

/// What is written opens again as the model that was compressed, to the bit.
struct GGUFEncodingTests {
  private static let pool = WorkerPool(threads: 2)

  private static let tiny = [
    "Tests/CheckpointsTests/Fixtures/tiny", "Tests/CheckpointsTests/Fixtures/tiny-sharded",
    "Tests/CheckpointsTests/Fixtures/tiny.gguf",
  ]

  private static func open(_ path: String) throws -> Checkpoint {
    try Checkpoint.open(Repository.path(path))
  }

  /// Compresses, writes and opens, and compares all that a model is.
  @discardableResult
  private static func checkRoundTrip(_ model: CompressedModel) throws -> [UInt8] {
    let encoding = try GGUFEncoding(model: model.export)
    let file = try #require(encoding.layout.files.first)
    let bytes = try model.file(encoding)
    #expect(bytes.count == encoding.layout.byteCount)
    #expect(file.tensors.allSatisfy { $0.offset % 32 == 0 })
    #expect(file.tensors.map(\.offset) == file.tensors.map(\.offset).sorted())
    try TestFiles.with(bytes, named: file.name) { path in
      let source = model.export.checkpoint
      let written = try Checkpoint.open(path)
      try compare(written.description, source.description)
      #expect(written.description.layers.map(\.bytes) == model.layers.map(\.storedBytes))
      for layer in model.layers {
        let found = try written.matrix(of: layer.shape.name).decoded().values
        #expect(
          found == layer.weights.decoded(rows: 0..<layer.shape.rows).values, "\(layer.shape.name)")
      }
      for norm in model.norms {
        #expect(try written.vector(named: norm) == source.vector(named: norm), "\(norm)")
      }
      let tokens = [1, 7, 30, 2, 99]
      #expect(
        try logits(Inference.Decoder(checkpoint: written, pool: pool), tokens)
          == logits(model.decoder(on: pool), tokens))
    }
    return bytes
  }

  private static func compare(_ written: ModelDescription, _ source: ModelDescription) throws {
    #expect(written.hiddenSize == source.hiddenSize)
    let (found, expected) = (try #require(written.blueprint), try #require(source.blueprint))
    #expect(found.blocks == expected.blocks)
    #expect(written.vocabularySize == source.vocabularySize)
    #expect(written.contextLength == source.contextLength)
    #expect(found.ropes.map(\.theta) == expected.ropes.map(\.theta))
    for (rope, other) in zip(found.ropes, expected.ropes) {
      #expect(zip(rope.divisors, other.divisors).allSatisfy { abs($0 / $1 - 1) < 1e-6 })
      #expect(rope.divisors.count == other.divisors.count)
    }
    #expect(found.normEpsilon == expected.normEpsilon)
    #expect(written.tiesEmbeddings == source.tiesEmbeddings)
    #expect(written.layers.map(\.name) == source.layers.map(\.name))
  }

  private static func logits(_ decoder: Inference.Decoder, _ tokens: [Int]) throws -> [Float] {
    var cache = decoder.makeCache()
    return try decoder.forward(tokens: tokens, cache: &cache, wants: .all).values
  }

  @Test(arguments: tiny, [1, 2, 3] as [UInt64])
  func randomPlansOfTinyModels(path: String, seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let model = try CompressedModel(Self.open(path)) {
      .random(for: $0, using: &random, blocksOnly: true)
    }
    try Self.checkRoundTrip(model)
  }

  @Test func theSampleInAllBlockTypes() throws {
    try Self.checkRoundTrip(GGUFOracleTests.model())
  }

  @Test(arguments: tiny)
  func whatIsKeptIsWrittenByteForByteTheSecondTime(path: String) throws {
    var random = SeededRandom(seed: 11)
    let first = try Self.checkRoundTrip(
      CompressedModel(Self.open(path)) { .random(for: $0, using: &random, blocksOnly: true) })
    let second = try TestFiles.with(first, named: "first.gguf") { path in
      try Self.checkRoundTrip(CompressedModel(Checkpoint.open(path)) { _ in .keep })
    }
    #expect(first == second)
  }

  @Test(arguments: tiny)
  func prunedModels(path: String) throws {
    let structure = ModelStructure(
      removedBlocks: [0], neurons: 32, keyValueHeads: 1,
      cuts: [1: .init(neurons: Array(stride(from: 1, to: 64, by: 2)), keyValueHeads: [0])])
    let checkpoint = try Self.open(path).pruned(by: structure)
    let model = try CompressedModel(checkpoint) { shape in
      shape.columns % 32 == 0
        ? Scheme(quantization: QuantizationScheme(block: .q4_1, range: .minMax)) : .keep
    }
    try Self.checkRoundTrip(model)
  }

  @Test func whatIsNotTheLayoutsIsRefused() throws {
    let checkpoint = try Self.open(Self.tiny[0])
    let kept = try CompressedModel(checkpoint) { _ in .keep }
    let quantized = try CompressedModel(checkpoint) { _ in
      Scheme(quantization: QuantizationScheme(block: .q8_0, range: .minMax))
    }
    let encoding = try GGUFEncoding(model: kept.export)
    #expect(throws: ExportError.self) { try encoding.tensors(of: quantized.layers[3]) }
    #expect(throws: ExportError.self) { try encoding.other("output_none.weight", norms: [:]) }
  }
}
