import FoundationEssentials
import Tensors
import Testing

@testable import Checkpoints

/// Layers that other programs quantized (Tests/Oracles/record_quantized_by_others.py), and the weights that these make
/// of them.
struct OthersLayerTests {
  private struct Digest: Decodable {
    let type: String
    let rows: Int
    let columns: Int
    let sha256: String
  }

  static let models = [
    "gptq", "gptq-v2", "awq", "awq-gemv", "awq-3bit", "awq-8bit", "fp8-blocks", "fp8-rows", "mxfp4",
    "bitsandbytes-int8",
    "bitsandbytes-4bit", "mlx", "mlx-half", "mlx-modes", "gptq-llama", "mlx-llama",
  ]

  private func digests(_ model: String) throws -> [String: Digest] {
    let data = try Data(TestFiles.read(TestFiles.fixture("others/digests.json")))
    return try #require(
      try JSONDecoder().decode([String: [String: Digest]].self, from: data)[model])
  }

  private static let types: [String: ElementType] = [
    "float32": .float32, "float16": .float16, "bfloat16": .bfloat16,
  ]

  /// The bytes of weights in the type that they are decoded to.
  private func bytes(_ weights: LayerWeights) -> [UInt8] {
    let values = weights.decoded().values
    return weights.type == .float32
      ? values.littleEndianBytes : weights.type.rounded(values).littleEndianBytes
  }

  @Test(arguments: models)
  func weightsAreThoseOfTheirOwnPackage(model: String) throws {
    let opened = try OthersModel(model)
    let recorded = try digests(model)
    #expect(Set(opened.quantization.layerNames(in: opened.table)) == Set(recorded.keys))
    for (name, digest) in recorded {
      let layer = try #require(try opened.layer(name), "\(name)")
      #expect([layer.rows, layer.columns] == [digest.rows, digest.columns], "\(name)")
      let weights = try layer.weights()
      #expect(weights.type == Self.types[digest.type], "\(name)")
      #expect(layer.type == weights.type, "\(name)")
      #expect([weights.rows, weights.columns] == [digest.rows, digest.columns], "\(name)")
      #expect(SHA256.hexDigest(bytes(weights)) == digest.sha256, "\(model) \(name)")
    }
  }

  /// Codes are what ``StoredLayer/heldFormat`` says before they are read.
  @Test(arguments: models)
  func heldFormatsAreThoseThatAreRead(model: String) throws {
    let opened = try OthersModel(model)
    for name in opened.quantization.layerNames(in: opened.table) {
      let layer = try #require(try opened.layer(name))
      switch try layer.weights() {
      case .stored, .stack: #expect(layer.heldFormat == nil, "\(name)")
      case .floats(let matrix): #expect(layer.heldFormat?.floats == matrix.format, "\(name)")
      case .packed(let matrix):
        let sharing =
          matrix.groupSize == matrix.columns ? ScaleSharing.channel : .group(matrix.groupSize)
        let format = WeightFormat.integer(
          bits: matrix.bits, sharing: sharing, isSymmetric: matrix.zeros == .symmetric)
        #expect(layer.heldFormat == format, "\(name)")
      }
    }
  }

  @Test func codesStayWhereViseHoldsSuch() throws {
    /// By the last part of a layer's name; those that are decoded have none.
    func held(_ model: String) throws -> [String: WeightFormat] {
      let opened = try OthersModel(model)
      var result: [String: WeightFormat] = [:]
      for name in opened.quantization.layerNames(in: opened.table) {
        let role = name.split(separator: ".").last.map(String.init) ?? name
        result[role] = try #require(try opened.layer(name)).heldFormat
      }
      return result
    }
    #expect(
      try held("gptq") == [
        "q_proj": .integer(bits: 4, sharing: .group(32), isSymmetric: true),
        "k_proj": .integer(bits: 4, sharing: .group(32), isSymmetric: false),
        "v_proj": .integer(bits: 8, sharing: .group(64), isSymmetric: false),
        "o_proj": .integer(bits: 2, sharing: .group(32), isSymmetric: false),
        "gate_proj": .integer(bits: 3, sharing: .group(32), isSymmetric: false),
        "up_proj": .integer(bits: 4, sharing: .channel, isSymmetric: true),
        // The columns of down_proj are in the order of their activations.
      ])
    #expect(
      try held("fp8-blocks") == [
        "q_proj": .float8(.block(rows: 128, columns: 128)),
        "o_proj": .float8(.block(rows: 128, columns: 128)),
        "gate_up_proj": .float8(.block(rows: 128, columns: 128)),
        // The scales of k_proj and v_proj are in single precision, and no numbers of 16 bits.
      ])
    #expect(try held("mxfp4") == ["gate_up_proj": .mxfp4, "down_proj": .mxfp4])
    #expect(
      try held("mlx-modes") == ["q_proj": .mxfp4, "k_proj": .nvfp4])
  }

  @Test(arguments: [
    ("gptq", "self_attn.q_proj", "4 bit g32 sym"), ("gptq", "mlp.up_proj", "4 bit channel sym"),
    ("gptq", "self_attn.v_proj", "8 bit g64 asym"), ("gptq-v2", "mlp.gate_proj", "3 bit g32 asym"),
    ("awq", "mlp.up_proj", "4 bit g32 asym"), ("fp8-blocks", "self_attn.v_proj", "FP8 128x128"),
    ("fp8-rows", "self_attn.q_proj", "FP8 channel"),
    ("fp8-rows", "self_attn.v_proj", "FP8 tensor"),
    ("mxfp4", "mlp.experts.gate_up_proj", "MXFP4"),
    ("bitsandbytes-int8", "self_attn.q_proj", "8 bit channel sym"),
    ("bitsandbytes-4bit", "self_attn.q_proj", "NF4"),
    ("bitsandbytes-4bit", "self_attn.v_proj", "FP4"),
    ("mlx", "self_attn.k_proj", "3 bit g64 asym"), ("mlx-modes", "self_attn.k_proj", "NVFP4"),
    ("mlx-modes", "self_attn.v_proj", "MXFP8"),
  ])
  func layersAreShownAsWhatTheyAre(model: String, layer: String, text: String) throws {
    let opened = try OthersModel(model)
    #expect(try opened.layer("model.layers.0.\(layer)")?.scheme.summary == text)
  }

  @Test(arguments: [
    ("gptq", "GPTQ (gptqmodel:7.7.0)"), ("awq", "AWQ"), ("fp8-blocks", "FP8"), ("mxfp4", "MXFP4"),
    ("bitsandbytes-4bit", "bitsandbytes"), ("mlx", "MLX"),
  ])
  func notesSayWhoQuantized(model: String, maker: String) throws {
    let quantization = try OthersModel(model).quantization
    #expect(quantization.quantizedBy == maker)
    #expect(quantization.notes(on: []).first == "quantized by others: \(maker)")
  }

  @Test func shapesOfTheModelAreChecked() throws {
    for model in Self.models {
      let opened = try OthersModel(model)
      for name in opened.quantization.layerNames(in: opened.table) {
        let layer = try #require(try opened.layer(name))
        let shape = [layer.rows, layer.columns]
        #expect(try opened.layer(name, shape: shape)?.rows == layer.rows)
        for wrong in [[shape[0] + 1, shape[1]], [shape[0], shape[1] * 2], [shape[0] * shape[1]]] {
          #expect(throws: CheckpointError.self, "\(model) \(name) \(wrong)") {
            try opened.layer(name, shape: wrong)
          }
        }
      }
    }
    let experts = "model.layers.0.mlp.experts.gate_up_proj"
    #expect(try OthersModel("mxfp4").layer(experts, shape: [3, 24, 64])?.rows == 72)
  }

  @Test func wholeModelsOpen() throws {
    func stored(_ model: String) throws -> [String] {
      try Checkpoint.open(TestFiles.fixture("others/\(model)")).description.layers.map(\.storedText)
    }
    #expect(
      try stored("gptq-llama") == ["F16"] + Array(repeating: "4 bit g32 asym", count: 7))
    #expect(try stored("mlx-llama") == Array(repeating: "4 bit g32 asym", count: 8))
    for model in ["gptq-llama", "mlx-llama"] {
      let checkpoint = try Checkpoint.open(TestFiles.fixture("others/\(model)"))
      #expect(checkpoint.description.notes.first?.hasPrefix("quantized by others") == true)
      for (layer, digest) in try digests(model) {
        #expect(SHA256.hexDigest(bytes(try checkpoint.matrix(of: layer))) == digest.sha256)
      }
    }
  }

  @Test func otherTensorsAreNoLayers() throws {
    #expect(try OthersModel("gptq").layer("model.norm") == nil)
    #expect(try OthersModel("mlx").layer("model.norm") == nil)
    #expect(try OthersModel("fp8-blocks").layer("model.embed_tokens") == nil)
    #expect(try OthersModel("fp8-blocks").layer("model.layers.9.mlp.up_proj") == nil)
  }
}

/// A recorded checkpoint of layers without a model.
struct OthersModel {
  let table: TensorTable
  let quantization: Quantization

  init(_ name: String) throws {
    try self.init(path: TestFiles.fixture("others/\(name)"))
  }

  init(path: String) throws {
    let directory = try #require(HuggingFaceDirectory(path: path))
    let config = try #require(try directory.json(HuggingFaceDirectory.config))
    table = try directory.tensors(only: nil)
    guard let quantization = try Quantization(config: config) else {
      throw config.error("says nothing of quantization")
    }
    self.quantization = quantization
  }

  func layer(_ name: String, shape: [Int]? = nil) throws -> (any StoredLayer)? {
    try quantization.layer(name, isEmbedding: false, shape: shape, in: table)
  }
}
