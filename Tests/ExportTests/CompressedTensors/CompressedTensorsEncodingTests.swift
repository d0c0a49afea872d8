@testable import Checkpoints
import Compression
import Export
import Inference
import Tensors
import TestSupport
import Testing
import JSON

/// What is written decodes to the model that was compressed, to the bit.
struct CompressedTensorsEncodingTests {
  private static let tiny = [
    "Tests/CheckpointsTests/Fixtures/tiny", "Tests/CheckpointsTests/Fixtures/tiny-sharded",
    "Tests/CheckpointsTests/Fixtures/tiny.gguf",
  ]

  private static func open(_ path: String) throws -> Checkpoint {
    try Checkpoint.open(Repository.path(path))
  }

  private static func isEmbedding(_ shape: LayerShape) -> Bool {
    shape.name.hasSuffix("embed_tokens")
  }

  /// Any scheme that transformers can be given of a layer.
  private static func random(
    for shape: LayerShape, using random: inout SeededRandom
  ) -> Scheme {
    while true {
      let scheme = Scheme.random(for: shape, using: &random, blocksOnly: false)
      let flaw = CompressedTensorsLimits.flaw(of: scheme, for: shape, target: .transformers)
      if flaw == nil { return scheme }
    }
  }

  /// Writes a model, and compares each layer and norm, and what config.json says of them.
  private static func check(
    _ model: CompressedModel, for target: ExportTarget = .transformers, shardBytes: Int? = nil
  ) throws {
    let encoding = try CompressedTensorsEncoding(
      model: model.export, target: target,
      shardBytes: shardBytes ?? CompressedTensorsEncoding.standardShardBytes)
    let files = try model.files(encoding)
    #expect(
      files.reduce(0) { $0 + $1.bytes.count }
        + encoding.layout.copies.reduce(0) { $0 + $1.byteCount } == encoding.layout.byteCount)
    let written = try WrittenWeights(files.filter { $0.name.hasSuffix(".safetensors") })
    let config = try WrittenConfig(files)
    for layer in model.layers {
      let (name, group) = (layer.shape.name, config.group(of: layer.shape.name))
      let quantization = layer.scheme.quantization
      #expect(group?.bits == quantization?.bits, "\(name)")
      #expect(group?.symmetric == quantization?.isSymmetric, "\(name)")
      #expect(group.map { $0.groupSize.map { .size($0) } ?? .channel } == quantization?.group)
      let isIgnored = config.ignored.contains(name)
      #expect(isIgnored == (group == nil && name != "model.embed_tokens" && !config.groups.isEmpty))
      let found = try written.weights(of: name, bits: group?.bits)
      let expected = layer.weights.decoded(rows: 0..<layer.shape.rows).values
      // Kept blocks are the one thing that is rounded.
      #expect(
        found
          == (layer.scheme.keepsLayer && layer.shape.type.isQuantized
            ? expected.map { Float(Float16($0)) } : expected),
        "\(name)")
    }
    for norm in model.norms {
      let values = try model.export.checkpoint.vector(named: norm)
      #expect(try written.values(of: "\(norm).weight") == values, "\(norm)")
    }
    let names = Set(model.export.checkpoint.description.layers.map(\.name))
    #expect(config.groups.flatMap(\.targets).allSatisfy(names.contains))
    #expect(config.groups.map(\.name) == config.groups.map(\.name).sorted())
  }

  @Test(arguments: tiny, [1, 2, 3] as [UInt64])
  func randomPlansOfTinyModels(path: String, seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let model = try CompressedModel(Self.open(path)) { Self.random(for: $0, using: &random) }
    try Self.check(model)
    try Self.check(model, shardBytes: 9000)
  }

  @Test(arguments: 2...8, [true, false])
  func everyWidth(bits: Int, isSymmetric: Bool) throws {
    let model = try CompressedModel(Self.open(Self.tiny[1])) { shape in
      if Self.isEmbedding(shape) { return .keep }
      return Scheme(
        quantization: QuantizationScheme(
          bits: bits, group: shape.rows > 32 ? .channel : .size(16), isSymmetric: isSymmetric))
    }
    try Self.check(model)
  }

  @Test(arguments: [2, 4, 8])
  func tiedEmbeddingsOfVLLM(bits: Int) throws {
    let model = try CompressedModel(Self.open("Samples/scripture")) { shape in
      Self.isEmbedding(shape)
        ? Scheme(quantization: QuantizationScheme(bits: bits, group: .size(64))) : .keep
    }
    try Self.check(model, for: .vllm)
  }

  @Test func shardsAreIndexedAndLoadAgain() throws {
    let model = try CompressedModel(Self.open(Self.tiny[0])) { _ in
      Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4)))
    }
    let encoding = try CompressedTensorsEncoding(
      model: model.export, target: .vllm, shardBytes: 12_000)
    let files = try model.files(encoding)
    let shards = files.filter { $0.name.hasSuffix(".safetensors") }
    #expect(shards.count > 2)
    #expect(shards.allSatisfy { $0.name.hasSuffix("-of-0000\(shards.count).safetensors") })
    // The embedding alone is larger than a shard.
    #expect(shards.dropFirst().allSatisfy { $0.bytes.count < 12_000 + 4096 })
    try TestFiles.with(files) { folder in
      let opened = try Checkpoint.open(folder)
      for layer in model.layers {
        let found = try opened.matrix(of: layer.shape.name).decoded().values
        #expect(
          found == layer.weights.decoded(rows: 0..<layer.shape.rows).values, "\(layer.shape.name)")
      }
    }
  }

  @Test func onACPUEightBitsAreBytesAndInputsAreRounded() throws {
    let model = try CompressedModel(Self.open(Self.tiny[0])) { shape in
      Self.isEmbedding(shape)
        ? .keep
        : Scheme(
          quantization: shape.name.contains("mlp")
            ? QuantizationScheme(bits: 4, group: .size(32))
            : QuantizationScheme(bits: 8, group: .channel))
    }
    let files = try model.files(CompressedTensorsEncoding(model: model.export, target: .vllmCPU))
    let config = try WrittenConfig(files)
    let written = try WrittenWeights(files.filter { $0.name.hasSuffix(".safetensors") })
    #expect(config.groups.map(\.format) == ["int-quantized", "pack-quantized"])
    #expect(config.groups.map(\.roundsInputs) == [true, false])
    #expect(
      config.root["quantization_config"]?.object?["format"]?.string == "mixed-precision")
    for layer in model.layers {
      let group = config.group(of: layer.shape.name)
      if group?.bits == 8 {
        #expect(written.type(of: "\(layer.shape.name).weight") == "I8")
        #expect(written.shape(of: "\(layer.shape.name).weight_scale") == [layer.shape.rows, 1])
      }
      #expect(
        try written.weights(of: layer.shape.name, bits: group?.bits)
          == layer.weights.decoded(rows: 0..<layer.shape.rows).values, "\(layer.shape.name)")
    }
  }

  @Test func groupsAreNumberedSoThatNamesSort() throws {
    var number = 0
    let model = try CompressedModel(Self.open("Samples/scripture")) { shape in
      if Self.isEmbedding(shape) { return .keep }
      number += 1
      return Scheme(
        quantization: QuantizationScheme(
          bits: 2 + number % 7, group: .size(64), isSymmetric: number % 2 == 0))
    }
    let files = try model.files(
      CompressedTensorsEncoding(model: model.export, target: .transformers))
    let names = try WrittenConfig(files).groups.map(\.name)
    #expect(names.count > 10)
    #expect(names == names.sorted() && names[0] == "group_00")
  }

  @Test func whatIsNotTheLayoutsIsRefused() throws {
    let checkpoint = try Self.open(Self.tiny[0])
    let kept = try CompressedModel(checkpoint) { _ in .keep }
    let quantized = try CompressedModel(checkpoint) { shape in
      Self.isEmbedding(shape)
        ? .keep : Scheme(quantization: QuantizationScheme(bits: 8, group: .size(32)))
    }
    let encoding = try CompressedTensorsEncoding(model: quantized.export, target: .transformers)
    #expect(throws: ExportError.self) { try encoding.tensors(of: kept.layers[3]) }
    #expect(throws: ExportError.self) { try encoding.other("model.none.weight", norms: [:]) }
    let files = try kept.files(
      CompressedTensorsEncoding(model: kept.export, target: .transformers))
    #expect(try WrittenConfig(files).root["quantization_config"] == nil)
  }
}
