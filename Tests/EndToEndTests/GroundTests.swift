import Foundation
import Testing

/// Light or dark, as the terminal's ground is.
@Suite(.serialized)
struct GroundTests {
  private let model = Pane.root.appending(path: "Samples/scripture").path
  /// The grounds of `Themes/dark.yaml` and `light.yaml`, as sequences set them.
  private let dark = "48;2;20;23;28"
  private let light = "48;2;251;251;249"
  private let colours = ["COLORTERM": "truecolor", "NO_COLOR": ""]

  @Test func theThemeFollowsTheTerminal() throws {
    let pane = try Pane.interactive([model], environment: colours)
    try pane.wait(for: "q_proj")
    #expect(try pane.colouredScreen().contains(dark))
    try pane.type("q")
    try pane.wait(for: "shell>")
    try pane.setGround("#ffffee")
    try pane.type("clear\r")
    try pane.start([model])
    try pane.wait(for: "q_proj")
    try pane.wait(for: "the light theme") { _ in
      (try? pane.colouredScreen().contains(light)) == true
    }
    // A choice holds whatever the terminal says.
    try pane.type(":theme dark\r")
    try pane.wait(for: "the dark theme") { _ in
      (try? pane.colouredScreen().contains(dark)) == true
    }
    try pane.type("q")
    try pane.wait(for: "shell>")
    try pane.type("echo the end\r")
    let screen = try pane.wait(for: "the shell's screen") { $0.contains("\nthe end") }
    #expect(!screen.contains("rgb:") && !screen.contains(";1;2c"))
  }

  @Test func theEnvironmentTellsWhatTheTerminalDoesNot() throws {
    let pane = try Pane([model], environment: colours.merging(["COLORFGBG": "0;15"]) { $1 })
    try pane.wait(for: "q_proj")
    #expect(try pane.colouredScreen().contains(light))
  }

  /// Quitting at once: what the terminal was asked is not answered to the shell.
  @Test func noAnswerReachesTheShell() throws {
    let pane = try Pane.interactive([model, "--fresh"], environment: colours)
    func wait(untilAlternate isAlternate: Bool) throws {
      try pane.wait(for: "the screen to change") { _ in
        (try? pane.modes().isAlternate) == isAlternate
      }
    }
    for round in 0..<5 {
      if round > 0 { try pane.start([model, "--fresh"]) }
      try wait(untilAlternate: true)
      try pane.type("q")
      try wait(untilAlternate: false)
    }
    try pane.type("echo the end\r")
    let screen = try pane.wait(for: "the shell's screen") { $0.contains("\nthe end") }
    #expect(!screen.contains("rgb:") && !screen.contains("1;2c"))
  }
}
