@testable import Checkpoints
import Compression
import Export
import Foundation
import Inference
import Tensors
import Testing
import TestSupport

/// What gguf and llama.cpp read of the sample in every block type (Tests/Oracles/record_gguf_export.py).
struct GGUFOracleTests {
  private struct Record: Decodable {
    struct Tensor: Decodable {
      let name: String
      let type: String
      let shape: [Int]
      let offset: Int
      let digest: String
    }

    let tensors: [Tensor]
    let tokens: [Int]
    /// The position whose next token is the first that is recorded.
    let first: Int
    let stride: Int
    let logProbs: Data

    static func load() throws -> Record {
      try Repository.fixture("gguf-export.json", of: "ExportTests", as: Record.self)
    }

    var values: [Float] {
      let bytes = Array(logProbs)
      return Swift.stride(from: 0, to: bytes.count, by: 4).map { start in
        Float(
          bitPattern: bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
      }
    }
  }

  /// The sample, its layers in every block type in turn, pruned only and kept.
  static func model() throws -> CompressedModel {
    let schemes =
      [.keep, Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4)))]
      + BlockType.allCases.map {
        Scheme(quantization: QuantizationScheme(block: $0, range: .minMax))
      }
    var next = 0
    return try CompressedModel(Checkpoint.open(Repository.path("Samples/scripture"))) { _ in
      defer { next += 1 }
      return schemes[next % schemes.count]
    }
  }

  @Test func ggufReadsEveryTensorAsTheModelHasIt() throws {
    let model = try Self.model()
    let encoding = try GGUFEncoding(model: model.export)
    let file = try #require(encoding.layout.files.first)
    if let folder = ProcessInfo.processInfo.environment["VISE_EXPORTS"] {
      let url = URL(filePath: folder).appending(path: file.name)
      try Data(model.file(encoding)).write(to: url)
      return
    }
    let record = try Record.load()
    let description = model.export.checkpoint.description
    #expect(
      record.tensors.map { [$0.name, $0.type, "\($0.shape)", "\($0.offset)"] }
        == file.tensors.map { [$0.name, $0.type, "\($0.shape)", "\($0.offset)"] })
    var digests: [String: String] = [:]
    for (layer, entry) in zip(model.layers, description.layers) {
      let values = layer.weights.decoded(rows: Self.storedRows(of: entry, in: description)).values
      digests[entry.ggufName] = SHA256.hexDigest(values.littleEndianBytes)
    }
    for tensor in record.tensors where tensor.shape.count == 2 {
      #expect(tensor.digest == digests[tensor.name], "\(tensor.name) of \(tensor.type)")
    }
    #expect(digests.count == record.tensors.count { $0.shape.count == 2 })
  }

  /// The rows of a layer in llama.cpp's order: in each head of q and k, halves alternate.
  private static func storedRows(
    of layer: LayerDescription, in model: ModelDescription
  ) -> [Int] {
    let rows = Array(0..<layer.rows)
    guard layer.role == .query || layer.role == .key else { return rows }
    let half = (model.attention?.headSize ?? 0) / 2
    return rows.map { $0 / (2 * half) * 2 * half + $0 % 2 * half + $0 % (2 * half) / 2 }
  }

  /// llama.cpp rounds what layers read to 8 bits, which is all that may set its answers apart.
  @Test func llamaCppAnswersAsTheModelDoes() throws {
    let model = try Self.model()
    let record = try Record.load()
    let pool = WorkerPool(threads: 2)
    let compressed = try Self.logProbs(of: model.decoder(on: pool), record)
    let original = try Self.logProbs(
      of: Inference.Decoder(checkpoint: model.export.checkpoint, pool: pool), record)
    let found = record.values
    #expect(found.count == compressed.count && found.count > 3000)
    #expect(Self.distance(found, compressed) < 0.03)
    #expect(Self.distance(found, original) > 0.3)
  }

  private static func logProbs(
    of decoder: Inference.Decoder, _ record: Record
  ) throws -> [Float] {
    var cache = decoder.makeCache()
    let logits = try decoder.forward(tokens: record.tokens, cache: &cache, wants: .all)
    return (record.first..<record.tokens.count - 1).flatMap { position in
      let row = Logits(Array(logits.row(position)))
      return stride(from: 0, to: row.values.count, by: record.stride).map {
        row.values[$0] - Float(row.logSumExp)
      }
    }
  }

  /// The root of the mean square of differences between likely tokens' log-probabilities.
  ///
  /// llama.cpp's tool cuts off those more than 16 below the largest logit.
  private static func distance(_ first: [Float], _ second: [Float]) -> Float {
    let likely = zip(first, second).filter { $0.0 > -12 }
    let sum = likely.reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return (sum / Float(likely.count)).squareRoot()
  }
}
