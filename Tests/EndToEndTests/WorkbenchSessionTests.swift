import Foundation
import Testing

/// What a person does in the first five minutes, on the sample model, in a real terminal.
@Suite(.serialized)
struct WorkbenchSessionTests {
  private let model = Pane.root.appending(path: "Samples/scripture").path

  @Test func changingALayerShowsItsErrorAndUndoes() throws {
    let pane = try Pane([model])
    try pane.wait(for: "q_proj")
    try pane.type("/down_proj\r")
    try pane.type("a4")
    try pane.wait(for: "exact figures") { text in
      text.split(separator: "\n").contains { $0.contains("down_proj") && $0.contains("g64") }
        || text.contains("dB")
    }
    try pane.press("u")
    try pane.press("q")
    try pane.expectRestored(status: 0)
  }

  @Test func bothModelsAnswerSideBySide() throws {
    let pane = try Pane([model])
    try pane.wait(for: "q_proj")
    try pane.type("a2")
    try pane.press("p")
    try pane.type("And the LORD said\r")
    try pane.wait(for: "tok/s", seconds: 120)
  }

  @Test func theBudgetScreenSaysHowToMeasure() throws {
    let pane = try Pane([model])
    try pane.wait(for: "q_proj")
    try pane.press("F3")
    try pane.wait(for: "X measures it on a text")
    try pane.press("Escape")
    try pane.wait(for: "q_proj")
    try pane.press("q")
    try pane.expectRestored(status: 0)
  }

  @Test func aSnapshotIsRestoredFromTheCompareScreen() throws {
    let pane = try Pane([model])
    try pane.wait(for: "q_proj")
    try pane.press("c")
    try pane.wait(for: "keep the plan as")
    try pane.press("C-u")
    try pane.type("whole\r")
    try pane.type("a4")
    try pane.press("F4")
    try pane.wait(for: "whole")
    try pane.press("j", "Enter")
    try pane.wait(for: "restore whole on all layers")
    // The plan is again the one that nobody has changed: nothing is asked.
    try pane.press("q")
    try pane.expectRestored(status: 0)
  }

  @Test(arguments: [(80, 24), (200, 50), (60, 16)])
  func drawsAtSize(columns: Int, rows: Int) throws {
    let pane = try Pane([model], columns: columns, rows: rows)
    let text = try pane.wait(for: "q_proj")
    #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count >= rows)
  }

  @Test func tooSmallSaysWhatIsNeededAndRecovers() throws {
    let pane = try Pane([model], columns: 40, rows: 10)
    try pane.wait(for: "60")
    try pane.resize(columns: 120, rows: 36)
    try pane.wait(for: "q_proj")
  }

  @Test func asciiWhenTheLocaleIsNotUTF8() throws {
    let pane = try Pane([model], environment: ["LANG": "C", "LC_ALL": "C"])
    let text = try pane.wait(for: "q_proj")
    #expect(text.unicodeScalars.allSatisfy { $0.isASCII })
  }

  @Test(arguments: ["xterm-256color", "screen", "linux", "xterm-kitty", "vt100"])
  func terminals(term: String) throws {
    let pane = try Pane([model], environment: ["TERM": term])
    try pane.wait(for: "q_proj")
    try pane.press("q")
    try pane.expectRestored(status: 0)
  }

  @Test func noColourLeavesOnlyAttributes() throws {
    let pane = try Pane([model], environment: ["NO_COLOR": "1"])
    try pane.wait(for: "q_proj")
    #expect(
      try pane.colouredScreen().firstRange(of: /\u{1B}\[[0-9;]*(3[0-7]|4[0-7]|38|48)[;m]/) == nil)
  }
}
