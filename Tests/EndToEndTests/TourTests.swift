import Foundation
import Testing

/// The README's first five minutes, key by key, in a real terminal.
///
/// The code spans of the README are the script: what the test does is written beside them, and a README that says something
/// else fails.
struct TourTests {
  private static let page = Pane.root.appending(path: "README.md")

  /// The texts in backticks of the tour, in order.
  private static func spans() throws -> [String] {
    let text = try String(contentsOf: page, encoding: .utf8)
    let start = try #require(text.firstRange(of: "## Five minutes"))
    let end = try #require(text[start.upperBound...].firstRange(of: "\n\nNothing is lost"))
    return text[start.upperBound..<end.lowerBound].matches(of: /`([^`]+)`/).map { String($0.1) }
  }

  @Test func theTourWorksToTheLetter() throws {
    var spans = try Self.spans()[...]
    /// The next spans of the README, which must be these.
    func read(_ expected: String...) {
      #expect(Array(spans.prefix(expected.count)) == expected)
      spans = spans.dropFirst(expected.count)
    }
    let pane = try Pane(["--theme", "dark", Pane.root.appending(path: "Samples/scripture").path])

    read("make run")
    try pane.wait(for: "q_proj")
    read("j", "k", "4")
    try pane.press("j", "j", "j", "k", "4")
    try pane.wait(for: "4 bit on model.")
    read("/down", "Enter", "a", "[", "s", "50%", "2:4", "Enter", "G", "u", "ctrl-r", "Esc")
    try pane.type("/down\r")
    try pane.type("a[")
    try pane.wait(for: "one bit less on")
    try pane.type("s50%\r")
    try pane.wait(for: "sparsity 50%")
    try pane.type("u")
    try pane.wait(for: "Undone: sparsity 50%")
    try pane.press("C-r")
    try pane.wait(for: "Redone: sparsity 50%")
    try pane.press("Escape")
    try pane.wait(for: "/ down") { !$0.contains("marked") }
    try pane.press("Escape")
    try pane.wait(for: "no filter") { !$0.contains("/ down") && $0.contains("q_proj") }

    read(":set temperature 0.8", "Enter", "p")
    read("And it came to pass in those days, that the king", "Enter", "Esc", "a", "2", "p", "Enter")
    try pane.type(":set temperature 0.8\r")
    try pane.wait(for: "temperature 0.8")
    try pane.type("p")
    try pane.type("And it came to pass in those days, that the king\r")
    try pane.wait(for: "tok/s", seconds: 120)
    // A key right after Esc would be taken for one with Alt.
    try pane.press("Escape")
    try pane.wait(for: "2-8 bits")
    try pane.type("a2")
    try pane.wait(for: "2 bit on")
    try pane.type("p\r")
    try pane.wait(for: "generate")
    try pane.wait(for: "the answers' ends", seconds: 120) { !$0.contains("generate ") }

    try pane.press("Escape")
    try pane.wait(for: "2-8 bits")
    read("x", "Enter", "w", "Enter", "?", "t")
    try pane.type("x")
    try pane.wait(for: "evaluate on text file")
    try pane.press("Enter")
    try pane.wait(for: "E shows more", seconds: 240)
    try pane.type("w")
    try pane.wait(for: "write plan to")
    try pane.press("C-u")
    try pane.type("\(pane.scratch.path)/tour.yaml\r")
    try pane.wait(for: "Saved")
    try pane.type("?")
    try pane.wait(for: "On layers")
    try pane.press("Escape")
    try pane.wait(for: "2-8 bits")
    try pane.type("t")
    try pane.wait(for: "Theme ")

    read("X", "Enter", "b", "3MB", "Enter", "Enter", "c", "Enter", "F4")
    try pane.type("X")
    try pane.wait(for: "measure sensitivity on text file")
    try pane.press("Enter")
    try pane.wait(for: "Sensitivity of", seconds: 400)
    try pane.type("b")
    try pane.wait(for: "bytes of all tensors")
    try pane.type("3MB\r")
    try pane.wait(for: "Budget 3.00 MB")
    try pane.press("Enter")
    try pane.wait(for: "budget 3.00 MB on all layers")
    try pane.type("c")
    try pane.wait(for: "keep the plan as")
    try pane.press("Enter")
    try pane.press("F4")
    try pane.wait(for: "Compare")

    read("r", "ll", "Enter", "!", "F", "e", "Enter")
    try pane.press("F2")
    try pane.type("r")
    try pane.wait(for: "plan for target")
    try pane.type("ll\r")
    try pane.wait(for: "Planning for llama.cpp")
    try pane.type("F")
    try pane.type("e")
    try pane.wait(for: "Enter exports")
    #expect(spans.isEmpty)
    try pane.press("Escape")
    try pane.wait(for: "the closed overlay") { !$0.contains("Enter exports") }
    try pane.type(":q!\r")
    try pane.expectRestored(status: 0)
  }
}
