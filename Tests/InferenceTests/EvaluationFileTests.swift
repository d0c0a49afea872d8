import Foundation
import Inference
import Testing

/// What a job on a cluster measured: figures follow from sums of windows, and impossible ones are refused.
@Suite struct EvaluationFileTests {
  private struct Window: Encodable {
    var count = 4
    var reference_loss = 8.0
    var loss = 8.4
    var squared_changes = 0.04
    var agreements = 3.0
    var divergences = [0.01, 0.02, 0.03, 0.1]
  }

  private struct Contents: Encodable {
    var format = "vise-evaluation"
    var version = 1
    var text = "e.txt"
    var windows = [Window(), Window(loss: 8.8, divergences: [0.05, 0, 0.01, 0.02])]
  }

  private func read(_ change: (inout Contents) -> Void) throws -> EvaluationFile {
    var contents = Contents()
    change(&contents)
    return try EvaluationFile(String(decoding: JSONEncoder().encode(contents), as: UTF8.self))
  }

  /// By hand: means over tokens, and the standard error of two windows' means is half their distance.
  @Test func figuresFollowFromSums() throws {
    let file = try read { _ in }
    #expect(file.text == "e.txt")
    let summary = file.summary
    #expect(summary.tokens == 8 && summary.windows == 2)
    #expect(abs(summary.referencePPL.value - exp(2)) < 1e-12)
    #expect(abs((summary.compressedPPL?.value ?? 0) - exp(2.15)) < 1e-12)
    #expect(abs((summary.compressedPPL?.standardError ?? 0) - 0.05 * exp(2.15)) < 1e-12)
    #expect(abs((summary.divergence?.mean.value ?? 0) - 0.03) < 1e-12)
    #expect(abs((summary.divergence?.mean.standardError ?? 0) - 0.01) < 1e-12)
    #expect(summary.divergence?.max.value == 0.1)
    #expect(summary.top1Agreement?.value == 0.75)
    #expect(abs((summary.rmsProbabilityChange?.value ?? 0) - 0.1) < 1e-12)
  }

  @Test func whatIsNoneIsRefused() throws {
    let changes: [(inout Contents) -> Void] = [
      { $0.format = "other" }, { $0.version = 2 }, { $0.windows = [] },
      { $0.windows[1].count = 3 }, { $0.windows[0].divergences = [0.1] },
      { $0.windows[0].agreements = 5 }, { $0.windows[0].loss = -1 },
      { $0.windows[1].divergences[2] = -0.1 },
    ]
    for change in changes {
      #expect(throws: EvaluationFile.Flaw.self) { try read(change) }
    }
    for text in ["", "{", "[]", "{\"format\":\"vise-evaluation\"}"] {
      #expect(throws: EvaluationFile.Flaw.self) { try EvaluationFile(text) }
    }
  }
}
