import FoundationEssentials
import Tensors
import Testing

@testable import Checkpoints
import JSON

/// Tiny models that llm-compressor saved (Tests/Oracles/record_compressed_tensors.py), and the weights that
/// compressed-tensors makes of them.
struct CompressedModelTests {
  private struct Digest: Decodable {
    let type: String
    let sha256: String
  }

  private func open(_ name: String) throws -> Checkpoint {
    try Checkpoint.open(TestFiles.fixture("compressed/\(name)"))
  }

  /// The bytes of weights in the type that compressed-tensors decodes them to.
  private func bytes(_ weights: LayerWeights) -> [UInt8] {
    let values = weights.decoded().values
    guard weights.type != .float32 else {
      return values.littleEndianBytes
    }
    return weights.type.rounded(values).littleEndianBytes
  }

  @Test(arguments: ["integers", "floats", "embedding", "padded"])
  func weightsAreThoseOfCompressedTensors(model: String) throws {
    let checkpoint = try open(model)
    let data = try Data(TestFiles.read(TestFiles.fixture("compressed/digests.json")))
    let recorded = try #require(
      try JSONDecoder().decode([String: [String: Digest]].self, from: data)[model])
    let types: [String: ElementType] = [
      "float32": .float32, "float16": .float16, "bfloat16": .bfloat16,
    ]
    #expect(!recorded.isEmpty)
    for (layer, digest) in recorded {
      let weights = try checkpoint.matrix(of: layer)
      #expect(weights.type == types[digest.type], "\(layer)")
      #expect(SHA256.hexDigest(bytes(weights)) == digest.sha256, "\(layer)")
    }
    let quantized = checkpoint.description.layers.filter { $0.scheme != nil }
    #expect(Set(quantized.map(\.name)) == Set(recorded.keys))
  }

  @Test func schemesAreThoseOfTheConfiguration() throws {
    func schemes(_ model: String, block: Int) throws -> [String] {
      try open(model).description.layers.filter { $0.block == block }.map(\.storedText)
    }
    #expect(
      try schemes("integers", block: 0) == [
        "2 bit g32 sym", "3 bit g32 asym", "4 bit channel sym", "5 bit g16 asym",
        "6 bit channel asym", "7 bit g64 sym", "8 bit g32 asym",
      ])
    #expect(
      try schemes("integers", block: 1) == [
        "3 bit g64 sym", "3 bit g64 sym", "4 bit g16 asym", "4 bit g16 asym",
        "5 bit g32 sym", "5 bit g32 sym", "5 bit g32 sym",
      ])
    #expect(
      try schemes("floats", block: 0) == [
        "FP8 channel", "FP8 tensor", "F16", "NVFP4", "FP8 40x48", "MXFP4", "MXFP8",
      ])
    #expect(
      try schemes("floats", block: 1) == [
        "8 bit channel sym", "8 bit channel sym", "8 bit channel sym", "F16", "8 bit g32 asym",
        "8 bit g32 asym", "4 bit g32 sym",
      ])
    #expect(try open("embedding").description.layers[0].storedText == "8 bit channel sym")
  }

  @Test func integersStayPacked() throws {
    for model in ["integers", "padded"] {
      let checkpoint = try open(model)
      for layer in checkpoint.description.layers where layer.block != nil {
        guard case .packed(let matrix) = try checkpoint.matrix(of: layer.name),
          case .integer(let bits, _, let isSymmetric) = layer.scheme
        else {
          Issue.record("\(layer.name) is not packed")
          continue
        }
        #expect(matrix.bits == bits)
        #expect((matrix.zeros == .symmetric) == isSymmetric)
      }
    }
  }

  @Test func paddedCodesAreTheSameMatrices() throws {
    let (dense, padded) = (try open("integers"), try open("padded"))
    for layer in dense.description.layers where layer.block != nil {
      guard case .packed(let one) = try dense.matrix(of: layer.name),
        case .packed(let other) = try padded.matrix(of: layer.name)
      else {
        Issue.record("\(layer.name) is not packed")
        continue
      }
      #expect(one == other, "\(layer.name)")
    }
  }

  @Test func bytesAreThoseOfAllTensors() throws {
    let model = try open("integers").description
    let up = try #require(model.layers.first { $0.name == "model.layers.0.mlp.up_proj" })
    #expect(up.bytes == 96 * 14 * 4 + 96 * 2 + 16)
    let file = try TestFiles.read(TestFiles.fixture("compressed/integers/model.safetensors"))
    let header = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(model.tensorBytes == file.count - 8 - header)
    #expect(model.parameterCount == model.layers.reduce(5 * 64) { $0 + $1.parameters })
  }

  @Test func activationsAreNoted() throws {
    #expect(try open("integers").description.notes.isEmpty)
    let notes = try open("floats").description.notes
    #expect(notes.count == 1)
    #expect(notes.first?.hasPrefix("activations are not quantized") == true)
  }

  /// Layers of every shape whose two layouts take different numbers of words are told apart; where they do not,
  /// the version decides.
  @Test func layoutsAreToldApartByShape() throws {
    var ambiguous = 0
    for bits in [3, 5, 6, 7] {
      for columns in 1...200 {
        let dense = (columns * bits + 31) / 32
        let padded = (columns + 32 / bits - 1) / (32 / bits)
        for words in Set([dense, padded]) {
          for packsDensely in [true, false] {
            let layer = try Self.layer(
              bits: bits, columns: columns, words: words, packsDensely: packsDensely)
            if dense == padded {
              ambiguous += 1
              #expect(layer.isDense == packsDensely)
            } else {
              #expect(layer.isDense == (words == dense))
            }
          }
        }
      }
    }
    #expect(ambiguous > 0)
  }

  /// A layer of four rows of zeros, in so many words a row.
  private static func layer(
    bits: Int, columns: Int, words: Int, packsDensely: Bool
  ) throws -> QuantizedLayer {
    let storage = ByteStorage(copying: [UInt8](repeating: 0, count: 4 * 4 * words + 8))
    let entries = [
      TensorEntry(
        name: "layer.weight_packed", typeName: "I32", shape: [4, words], file: 0, offset: 0,
        byteCount: 16 * words),
      TensorEntry(
        name: "layer.weight_scale", typeName: "F16", shape: [4, 1], file: 0, offset: 16 * words,
        byteCount: 8),
    ]
    let arguments = try QuantizationArguments(
      JSONFile(
        file: "config.json",
        root: JSONObject(members: [
          .init(name: "num_bits", value: .integer(bits)),
          .init(name: "strategy", value: .string("channel")),
        ])))
    return try QuantizedLayer(
      "layer", rows: 4, columns: columns,
      format: ModuleFormat(packing: .packed, arguments: arguments),
      packsDensely: packsDensely,
      in: TensorTable(name: "model", files: ["model"], storages: [storage], entries: entries))
  }
}
