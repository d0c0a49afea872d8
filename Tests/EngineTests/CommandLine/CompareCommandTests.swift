import Foundation
import TestSupport
import Testing

/// `vise compare` layer by layer, against numpy (Tests/Oracles/record_comparison.py).
@Suite struct CompareCommandTests {
  private struct Recorded: Decodable {
    let name: String
    let a: Int
    let b: Int
    let relativeError: Double
    let sqnr: Double

    enum CodingKeys: String, CodingKey {
      case name, a, b
      case relativeError = "relative_error"
      case sqnr = "sqnr_db"
    }
  }

  private static let folder = Repository.path("Tests/CheckpointsTests/Fixtures")
  private static let (first, second) = (
    "\(folder)/compressed/integers", "\(folder)/compressed/floats"
  )

  private func layers(_ arguments: [String]) throws -> [[String: Any]] {
    let run = try ViseProcess(["compare"] + arguments + ["--json"])
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    return try #require(try run.object()["layers"] as? [[String: Any]])
  }

  @Test func everyLayerIsAsFarApartAsNumpySays() throws {
    let recorded = try Repository.fixture(
      "comparison.json", of: "EngineTests", as: [Recorded].self)
    let found = try layers([Self.first, Self.second])
    #expect(found.count == recorded.count)
    for expected in recorded {
      let layer = try #require(found.first { $0["name"] as? String == expected.name })
      #expect(Set(layer.keys) == ["name", "a", "b", "relative_error", "sqnr_db"])
      #expect((layer["a"] as? [String: Any])?["bytes"] as? Int == expected.a)
      #expect((layer["b"] as? [String: Any])?["bytes"] as? Int == expected.b)
      // Blocks of other sizes than Vise's own are decoded to 16 bits.
      let error = try #require(layer["relative_error"] as? Double)
      #expect(abs(error / expected.relativeError - 1) < 1e-4, "\(expected.name)")
      let sqnr = try #require(layer["sqnr_db"] as? Double)
      #expect(abs(sqnr - expected.sqnr) < 1e-3, "\(expected.name)")
    }
    let errors = found.compactMap { $0["relative_error"] as? Double }
    #expect(errors == errors.sorted(by: >))
    let down = try #require(
      found.first { ($0["name"] as? String)?.hasSuffix("0.mlp.up_proj") == true })
    #expect((down["a"] as? [String: Any])?["scheme"] as? String == "7 bit g64 sym")
    #expect((down["b"] as? [String: Any])?["scheme"] as? String == "MXFP4")
  }

  @Test func layersAreChosenAndOrdered() throws {
    let found = try layers([Self.first, Self.second, "--layers", "*.q_proj", "--in-order"])
    #expect(
      found.map { $0["name"] as? String } == [
        "model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj",
      ])
    let none = try ViseProcess(["compare", Self.first, Self.second, "--layers", "*.x_proj"])
    #expect(none.status == 64 && none.errors.contains("no layer is called *.x_proj"))
    let table = try ViseProcess(["compare", Self.first, Self.second])
    #expect(table.status == 0)
    #expect(table.output.contains("the 10 worst of 15 layers"))
    #expect(table.output.contains("43.77"))
  }

  /// The same codes in another layout are the same model.
  @Test func equalCheckpointsHaveNoError() throws {
    let found = try layers([Self.first, "\(Self.folder)/compressed/padded"])
    #expect(!found.isEmpty)
    for layer in found where layer["sqnr_db"] is Double {
      Issue.record("\(layer)")
    }
    #expect(found.allSatisfy { $0["relative_error"] as? Double == 0 })
  }

  @Test(arguments: ["tiny", "tiny.gguf"])
  func otherShapesAreRefused(other: String) throws {
    let run = try ViseProcess(["compare", Self.first, "\(Self.folder)/\(other)"])
    #expect(run.status == 1)
    #expect(run.errors.contains("are not the same model: "))
    #expect(run.output.isEmpty)
  }

  @Test func whatIsMissingIsNamed() throws {
    let run = try ViseProcess(["compare", Self.first, "\(Self.folder)/nothing"])
    #expect(run.status == 66)
    let window = try ViseProcess(["compare", Self.first, Self.second, "--window", "16"])
    #expect(window.status == 64 && window.errors.contains("--text"))
  }
}
