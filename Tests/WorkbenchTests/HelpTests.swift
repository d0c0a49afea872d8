import Terminal
import Testing

@testable import Workbench

@Suite struct HelpTests {
  /// All that the help says at a size of the screen, read by scrolling through it.
  private func told(_ columns: Int, _ rows: Int) -> String {
    var app = App(columns: columns, rows: rows)
    app.press("?")
    var pages = [app.screen]
    while true {
      app.press("PgDn")
      guard app.screen != pages.last else { break }
      pages.append(app.screen)
    }
    return pages.joined(separator: "\n")
  }

  @Test(arguments: [(80, 24), (120, 36), (200, 50), (60, 16)])
  func nothingIsCutOff(_ columns: Int, _ rows: Int) {
    let told = told(columns, rows)
    #expect(!told.contains("…"))
    // The last word of every help is there.
    for entry in KeyTable.standard.entries {
      for word in entry.help.split(separator: " ") { #expect(told.contains(word)) }
    }
  }

  @Test func searchingShowsOnlyWhatHasTheWords() {
    var app = App(columns: 120, rows: 36)
    app.press("?", "/")
    app.type("budget type")
    #expect(app.row("Type a size") != "")
    #expect(app.row("Quantize the marked") == "")
    #expect(app.row("Keys", "/budget type") != "")
    app.press("Enter", "j")
    #expect(app.row("Keys", "/budget type") != "")
    app.press("Esc")
    #expect(app.row("Quantize the marked") != "")
    app.press("Esc")
    #expect(app.state.overlay == nil)
  }

  @Test func findsKeysAndCommandsAsWell() {
    var app = App(columns: 120, rows: 36)
    app.press("?", "/")
    app.type(":measure-all")
    #expect(app.row("Measure all plans") != "")
    app.press("Esc", "/")
    app.type("nowhere to be found")
    #expect(app.row("Nothing has nowhere to be found") != "")
  }
}
