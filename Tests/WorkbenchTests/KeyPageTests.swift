import FoundationEssentials
import Testing
import Workbench

/// The key table of the documentation is the code's own.
struct KeyPageTests {
  private static let path = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/keys.md").path
  private static let (begin, end) = ("<!-- keys: begin -->\n", "<!-- keys: end -->")

  /// With VISE_WRITE_KEYS set, as `make keys` does, puts the table there first.
  @Test func keyTable() throws {
    let page = try String(contentsOfFile: Self.path, encoding: .utf8)
    let start = try #require(page.firstRange(of: Self.begin)).upperBound
    let stop = try #require(page.firstRange(of: Self.end)).lowerBound
    let table = Workbench.keyTableMarkdown()
    if ProcessInfo.processInfo.environment["VISE_WRITE_KEYS"] != nil {
      try (page[..<start] + table + page[stop...]).write(
        toFile: Self.path, atomically: true, encoding: .utf8)
    } else {
      #expect(page[start..<stop] == table)
    }
  }
}
