import Checkpoints
import Compression
import Export
import Inference
import Tensors
import Testing
import TestSupport

/// Small floats are stored as compressed-tensors loads them.
struct FloatEncodingTests {
  private static func isProjection(_ shape: LayerShape) -> Bool { shape.name.hasSuffix("_proj") }

  private static func model(_ format: FloatFormat) throws -> CompressedModel {
    try CompressedModel(Checkpoint.open(Repository.path("Samples/scripture"))) { shape in
      isProjection(shape) ? Scheme(quantization: QuantizationScheme(float: format)) : .keep
    }
  }

  /// The tensors of the layer of 128 rows and 256 columns, by the part of the name after the layer's.
  private static let tensors: [FloatFormat: [String: (type: String, shape: [Int])]] = [
    .fp8: ["weight": ("F8_E4M3", [128, 256]), "weight_scale": ("BF16", [128, 1])],
    .fp8Block: ["weight": ("F8_E4M3", [128, 256]), "weight_scale": ("BF16", [1, 2])],
    .nvfp4: [
      "weight_packed": ("U8", [128, 128]), "weight_scale": ("F8_E4M3", [128, 16]),
      "weight_global_scale": ("F32", [1]),
    ],
    .mxfp4: ["weight_packed": ("U8", [128, 128]), "weight_scale": ("U8", [128, 8])],
  ]

  private static let formats: [FloatFormat: String] = [
    .fp8: "float-quantized", .fp8Block: "float-quantized", .nvfp4: "nvfp4-pack-quantized",
    .mxfp4: "mxfp4-pack-quantized",
  ]

  private static let strategies: [FloatFormat: String] = [
    .fp8: "channel", .fp8Block: "block", .nvfp4: "tensor_group", .mxfp4: "group",
  ]

  @Test(arguments: FloatFormat.allCases)
  func tensorsAndConfigurationAreThoseOfTheFormat(format: FloatFormat) throws {
    let model = try Self.model(format)
    let encoding = try CompressedTensorsEncoding(model: model.export, target: .transformers)
    let files = try model.files(encoding)
    let written = try WrittenWeights(files.filter { $0.name.hasSuffix(".safetensors") })
    let layer = "model.layers.0.self_attn.k_proj"
    for (part, expected) in try #require(Self.tensors[format]) {
      #expect(written.type(of: "\(layer).\(part)") == expected.type, "\(part)")
      #expect(written.shape(of: "\(layer).\(part)") == expected.shape, "\(part)")
    }
    #expect(
      written.names.filter { $0.hasPrefix(layer) }.count == Self.tensors[format]?.count)
    let config = try #require(files.first { $0.name == "config.json" }).bytes
    let json = String(decoding: config, as: UTF8.self).filter { !$0.isWhitespace }
    #expect(json.contains("\"format\":\"\(Self.formats[format] ?? "")\""))
    #expect(json.contains("\"strategy\":\"\(Self.strategies[format] ?? "")\""))
    #expect(json.contains("\"num_bits\":\(format.bits)") && json.contains("\"type\":\"float\""))
    #expect(json.contains("\"block_structure\":[128,128]") == (format == .fp8Block))
    #expect(json.contains("\"scale_dtype\":\"torch.float8_e4m3fn\"") == (format == .nvfp4))
    #expect(json.contains("\"scale_dtype\":\"torch.uint8\"") == (format == .mxfp4))
  }

  @Test(arguments: FloatFormat.allCases)
  func whatIsWrittenOpensAsTheSameModelAndIsKept(format: FloatFormat) throws {
    let model = try Self.model(format)
    let files = try model.files(
      CompressedTensorsEncoding(model: model.export, target: .transformers))
    try TestFiles.with(files) { folder in
      let opened = try Checkpoint.open(folder)
      for layer in model.layers {
        let weights = try opened.matrix(of: layer.shape.name)
        #expect(weights.holdsCodes == Self.isProjection(layer.shape))
        #expect(weights.decoded() == layer.weights.decoded(rows: 0..<layer.shape.rows))
      }
      let kept = try CompressedModel(opened) { _ in .keep }
      let again = try kept.files(
        CompressedTensorsEncoding(model: kept.export, target: .transformers))
      let weights = try #require(files.first { $0.name.hasSuffix(".safetensors") })
      #expect(again.contains { $0.name == weights.name && $0.bytes == weights.bytes })
      // Who has no kernel for the codes is given what they stand for.
      let dense = try CompressedTensorsEncoding(model: kept.export, target: .vllmCPU)
      let found = try WrittenWeights(
        kept.files(dense).filter { $0.name.hasSuffix(".safetensors") })
      #expect(!found.names.contains { $0.hasSuffix("scale") })
    }
  }

  @Test func fusedLayersShareAFormat() throws {
    let shapes = try Checkpoint.open(Repository.path("Samples/scripture")).description.layerShapes
    let schemes = shapes.map { shape in
      Scheme(
        quantization: shape.name.hasSuffix("embed_tokens")
          ? nil : QuantizationScheme(float: shape.name.hasSuffix("up_proj") ? .fp8Block : .fp8))
    }
    let refusals = TargetLimits.of(.vllm).refusals(of: schemes, for: shapes)
    #expect(refusals.count == 6)
    #expect(TargetLimits.of(.transformers).refusals(of: schemes, for: shapes).isEmpty)
  }

  @Test func refusalsNameWhatTheTargetCanHold() throws {
    func nearest(
      _ format: FloatFormat, _ target: ExportTarget, name: String = "model.layers.0.mlp.up_proj",
      columns: Int = 256
    ) -> Scheme?? {
      let shape = LayerShape(
        name: name, rows: 128, columns: columns, type: .bfloat16,
        isEmbedding: name.hasSuffix("embed_tokens"))
      return TargetLimits.of(target).refusal(
        of: Scheme(quantization: QuantizationScheme(float: format)), for: shape
      ).map(\.nearest)
    }
    #expect(nearest(.nvfp4, .vllm) == nil && nearest(.fp8, .vllm) == nil)
    #expect(
      nearest(.fp8Block, .vllm, columns: 192)
        == Scheme(quantization: QuantizationScheme(float: .fp8)))
    #expect(nearest(.fp8Block, .transformers, columns: 192) == nil)
    #expect(nearest(.fp8, .transformers, name: "model.embed_tokens") == .keep)
    #expect(
      nearest(.fp8, .vllmCPU)
        == Scheme(quantization: QuantizationScheme(bits: 8, group: .channel)))
    #expect(
      nearest(.mxfp4, .llamaCpp)
        == Scheme(quantization: QuantizationScheme(block: .q4_0, range: .mse)))
  }

  @Test func fusedLayersOfUnusualDivisorsAreNotWrittenForVLLM() throws {
    let model = try Self.model(.nvfp4)
    let columns = 256
    func layer(named name: String, divisor: Float) throws -> CompressedLayer {
      let layer = try #require(model.layers.first { $0.shape.name.hasSuffix(name) })
      let rows = layer.shape.rows
      let matrix = FloatMatrix(
        rows: rows, columns: columns, format: .nvfp4,
        codes: Array(repeating: 0x21, count: rows * columns / 2),
        scales: Array(repeating: 0x38, count: rows * columns / 16), divisor: divisor,
        type: .bfloat16)
      return CompressedLayer(shape: layer.shape, scheme: layer.scheme, weights: .floats(matrix))
    }
    let vllm = try CompressedTensorsEncoding(model: model.export, target: .vllm)
    let others = try CompressedTensorsEncoding(model: model.export, target: .transformers)
    let unusual = try layer(named: "k_proj", divisor: 32)
    #expect(throws: ExportError.self) { try vllm.tensors(of: unusual) }
    #expect(try others.tensors(of: unusual).count == 3)
    #expect(try vllm.tensors(of: layer(named: "k_proj", divisor: 256)).count == 3)
    #expect(try vllm.tensors(of: layer(named: "o_proj", divisor: 32)).count == 3)
  }
}
