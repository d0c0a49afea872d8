import Foundation
import TestSupport
import Testing

/// Sparsity layer by layer: candidates with zeros, and budgets that count bitmasks.
@Suite struct SparseAllocationTests {
  private let model: TinyModel
  private let text: String

  init() throws {
    model = try TinyModel()
    let words = String(repeating: "In the beginning was the word, and so on it went. ", count: 60)
    text = try model.write(words, to: "text.txt")
  }

  private func sensitivity(_ candidates: String, to path: String) throws -> ViseProcess {
    try ViseProcess([
      "sensitivity", model.path, "--text", text, "--window", "64", "--tokens", "1024",
      "--gradient-tokens", "256", "--candidates", candidates, "--output", path, "--json",
    ])
  }

  @Test func layersGetASparsityOfTheirOwn() throws {
    let path = model.path + "/sparse.sensitivity"
    let run = try sensitivity("keep+25%,keep+50%/wanda,keep+3:4/magnitude,4g16+2:4", to: path)
    #expect(run.status == 0, "\(run.errors)")
    let layers = try #require(try run.object()["layers"] as? [[String: Any]])
    let schemes = try #require(layers.first?["schemes"] as? [[String: Any]])
    #expect(
      schemes.map { $0["scheme"] as? String } == [
        "25 %", "50 %", "3:4 25 %", "4 bit g16 sym gptq weighted, 2:4 50 %",
      ])
    func allocate(_ budget: String) throws -> [String: Any] {
      let run = try ViseProcess([
        "allocate", model.path, "--sensitivity", path, "--budget", budget, "--types",
        "keep+25%,keep+50%/wanda", "--bitmasks", "--json",
      ])
      #expect(run.status == 0, "\(run.errors)")
      return try run.object()
    }
    let (dense, sparse) = (try allocate("40bpw"), try allocate("11bpw"))
    let counted = try #require(sparse["bytes_with_bitmasks"] as? Int)
    // Zeros are stored: what the files take does not change with them.
    #expect(sparse["bytes"] as? Int == dense["bytes"] as? Int)
    #expect(counted < (sparse["bytes"] as? Int ?? 0))
    #expect(counted < (dense["bytes_with_bitmasks"] as? Int ?? 0))
    let chosen = try #require(sparse["layers"] as? [[String: Any]]).compactMap {
      $0["scheme"] as? String
    }
    #expect(Set(chosen) == ["25 %", "50 %"])
    func divergence(_ plan: [String: Any]) -> Double {
      (plan["kld"] as? [String: Any])?["mean"] as? Double ?? .nan
    }
    #expect(divergence(sparse) > divergence(dense))
  }

  @Test(arguments: ["keep+", "keep+100%", "keep+50%/awq", "4g64+x", "+50%", "keep"])
  func whatNamesNoSchemeIsRefused(word: String) throws {
    let run = try sensitivity(word, to: model.path + "/never")
    #expect(run.status == 64 && run.errors.contains("names no scheme"), "\(run.errors)")
    #expect(!FileManager.default.fileExists(atPath: model.path + "/never"))
  }
}
