import Foundation
import TestSupport
import Testing

/// `vise sensitivity`, then `vise refine`: what they print, and what the file keeps.
@Suite struct RefineCommandTests {
  private let model: TinyModel
  private let text: String
  private let sensitivity: String

  init() throws {
    model = try TinyModel()
    let words = String(repeating: "In the beginning was the word, and so on it went. ", count: 60)
    text = try model.write(words, to: "text.txt")
    sensitivity = model.path + "/model.sensitivity"
    let run = try ViseProcess([
      "sensitivity", model.path, "--text", text, "--window", "64", "--tokens", "1024",
      "--gradient-tokens", "256", "--candidates", "2g16/rtn,4g16/rtn,8g16/rtn", "--output",
      sensitivity,
    ])
    #expect(run.status == 0, "\(run.errors)")
  }

  private func refine(_ arguments: String...) throws -> ViseProcess {
    try ViseProcess(
      [
        "refine", model.path, "--sensitivity", sensitivity, "--text", text, "--calibration", text,
        "--window", "64", "--layer-windows", "2", "--windows", "4",
      ] + arguments)
  }

  @Test func figuresArePrintedAndKept() throws {
    let run = try refine("--budget", "6bpw", "--budget", "5bpw", "--layers", "3", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let result = try run.object()
    #expect(
      Set(result.keys) == ["text", "output", "layers", "plans", "roles", "measured"])
    let layers = try #require(result["layers"] as? [String: Any])
    #expect(Set(layers.keys) == ["count", "rank_correlation", "ratio", "spread"])
    #expect((layers["count"] as? Int ?? 0) >= 3)
    #expect((result["plans"] as? [String: Any])?["count"] as? Int == 2)
    let roles = try #require(result["roles"] as? [[String: Any]])
    #expect(roles.allSatisfy { $0["role"] is String && $0["ratio"] is Double })
    let measured = try #require(result["measured"] as? [[String: Any]])
    #expect(measured.map { $0["plan"] as? String } == ["6.00bpw", "5.00bpw"])
    for plan in measured {
      let predicted = try #require(plan["predicted"] as? [String: Double])
      let (low, mean, high) = (predicted["low"], predicted["mean"], predicted["high"])
      #expect((low ?? 0) > 0 && (low ?? 0) < (mean ?? 0) && (mean ?? 0) < (high ?? 0))
      #expect((plan["kld"] as? Double ?? 0) > 0)
    }
    // The file keeps it: later budgets are predicted by what was measured.
    let again = try refine("--budget", "6bpw", "--layers", "0", "--json").object()
    let kept = try #require((again["measured"] as? [[String: Any]])?.first)
    let found = try #require(kept["kld"] as? Double)
    func distance(_ plan: [String: Any]) -> Double {
      abs(log(((plan["predicted"] as? [String: Double])?["mean"] ?? 0) / found))
    }
    #expect(((again["plans"] as? [String: Any])?["count"] as? Int ?? 0) >= 2)
    // Both plans taught them, so that one may be predicted a little worse than before, within what plans scatter.
    #expect(distance(kept) <= max(distance(measured[0]), 0.2))
  }

  @Test func withoutAPlanThereIsNothingToMeasure() throws {
    let run = try refine()
    #expect(run.status == 64 && run.errors.contains("name a --plan or a --budget"))
    let kept = try model.write("vise: 1\nrules: []\n", to: "kept.yaml")
    let nothing = try refine("--plan", kept)
    #expect(nothing.status == 1 && nothing.errors.contains("no layer is left to measure"))
  }
}
