@testable import Checkpoints
import Foundation
import Inference
import Tensors
import TestSupport
import Testing
import JSON

/// Changes to config.json, against what transformers makes of them: computed alike, or refused with a key's name.
///
/// `make families` records them by Tests/Oracles/make_settings.py; a change that transformers refuses has no value there.
struct SettingsTests {
  private struct Change {
    let name: String
    let added: JSONObject
    let remove: [String]

    /// What a refusal may name.
    var keys: [String] { added.members.map(\.name) + remove }

    static func all(of family: Family) throws -> [Change] {
      let data = try Data(contentsOf: URL(filePath: "\(family.path)/settings.json"))
      return try JSONReader.read(Array(data)).array?.map { value in
        let object = try #require(value.object)
        return Change(
          name: try #require(object["name"]?.string), added: try #require(object["set"]?.object),
          remove: object["remove"]?.array?.compactMap(\.string) ?? [])
      } ?? []
    }
  }

  private static let pool = WorkerPool(threads: 2)

  @Test(arguments: [
    "deepseek_v2", "deepseek_v3", "gemma", "gemma2", "gemma3", "gemma4", "gemma4-moe", "glm4",
    "glm4_moe", "gpt_oss", "granite", "granitemoe", "llama", "minimax_m2", "ministral3", "mistral",
    "mixtral", "olmo2", "olmoe", "phi3", "qwen2", "qwen2_moe", "qwen3", "qwen3_5", "qwen3_5_moe",
    "qwen3_moe", "qwen3_next", "seed_oss",
    "smollm3", "starcoder2",
  ])
  func areHonouredAsInTransformersOrRefusedByName(name: String) throws {
    let family = try Family(name)
    let changes = try Change.all(of: family)
    let recorded = try SafetensorsFile(path: "\(family.path)/settings.safetensors")
    let expected = Dictionary(uniqueKeysWithValues: recorded.vectors.map { ($0.name, $0.values) })
    #expect(changes.count >= 30 && expected.count >= 20)
    var computed = 0
    for change in changes {
      let folder = try TemporaryFolder()
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder.path)/model.safetensors",
        withDestinationPath: "\(family.path)/model.safetensors")
      try config(of: family, after: change).write(to: URL(filePath: "\(folder.path)/config.json"))
      let checkpoint = try Checkpoint.open(folder.path)
      if let obstacle = checkpoint.description.abilities.runningObstacle {
        let isNamed = change.keys.contains { obstacle.contains($0) }
        // Biases, heads and bounds that are left out leave tensors without a use, or layers without theirs.
        #expect(
          isNamed || obstacle.contains("is missing"), "\(change.name): refused because \(obstacle)")
        continue
      }
      guard let logits = expected[change.name] else { continue }
      let decoder = try Inference.Decoder(checkpoint: checkpoint, pool: Self.pool)
      var cache = decoder.makeCache()
      let found = try decoder.forward(tokens: family.rows[0], cache: &cache, wants: .all)
      #expect(
        largestError(Array(found.values.suffix(logits.count)), logits) < 1e-4, "\(change.name)")
      computed += 1
    }
    #expect(computed >= 12)
  }

  private func config(of family: Family, after change: Change) throws -> Data {
    var root = try JSONFile(path: "\(family.path)/config.json").root
    for key in change.remove { root[key] = nil }
    for member in change.added.members { root[member.name] = member.value }
    return Data(JSONWriter.bytes(of: .object(root), indent: 2))
  }
}
