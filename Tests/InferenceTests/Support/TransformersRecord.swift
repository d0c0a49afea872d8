import Checkpoints
import Foundation
import Inference
import Tensors

/// What Tests/Oracles/record_transformers.py recorded of a model.
struct TransformersRecord: Decodable {
  struct Prompt: Decodable {
    let text: String
    let ids: [Int]
    /// The greedy continuation.
    let tokens: [Int]
  }

  struct Logits: Decodable {
    let ids: [Int]
    /// The tokens whose logits were recorded.
    let vocabularyIDs: [Int]
    /// Positions x vocabularyIDs.
    let values: [Float]
    /// One for each position.
    let logSumExp: [Float]
    /// The most probable token after each position.
    let best: [Int]

    private enum CodingKeys: CodingKey { case ids, vocabularyIDs, values, logSumExp, best }

    init(from decoder: any Swift.Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      ids = try container.decode([Int].self, forKey: .ids)
      vocabularyIDs = try container.decode([Int].self, forKey: .vocabularyIDs)
      values = try container.decode(Data.self, forKey: .values).floats
      logSumExp = try container.decode(Data.self, forKey: .logSumExp).floats
      best = try container.decode([Int].self, forKey: .best)
    }
  }

  struct Perplexity: Decodable {
    let ids: [Int]
    let window: Int
    let scored: Int
    let ppl: Double
  }

  let prompts: [Prompt]
  let logits: Logits
  let perplexity: Perplexity

  /// The record of the given name in Fixtures.
  static func load(_ name: String) throws -> TransformersRecord {
    let data = try Data(contentsOf: Fixture.url("\(name).json"))
    return try JSONDecoder().decode(TransformersRecord.self, from: data)
  }
}

/// The sample model, and those that `make test` fetches.
enum RealModel {
  /// A model of Samples, or a file or directory among the fetched models: VISE_MODELS says where, else `.models`
  /// in the repository.
  static func path(_ name: String) -> String {
    let repository = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    if name.hasPrefix("Samples/") { return repository.appending(path: name).path() }
    let folder =
      ProcessInfo.processInfo.environment["VISE_MODELS"]
      ?? repository.appending(path: ".models").path()
    return folder + (folder.hasSuffix("/") ? "" : "/") + name
  }

  static func checkpoint(_ name: String) throws -> Checkpoint { try .open(path(name)) }

  static func decoder(_ name: String, on pool: WorkerPool) throws -> Inference.Decoder {
    try Inference.Decoder(checkpoint: checkpoint(name), pool: pool)
  }
}
