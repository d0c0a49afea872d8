import FoundationEssentials
import Testing
import Workbench

/// The README's key table is the code's own.
struct ReadmeTests {
  private static let path = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "README.md").path
  private static let (begin, end) = ("<!-- keys: begin -->\n", "<!-- keys: end -->")

  /// With VISE_WRITE_README set, as `make readme` does, puts the table there first.
  @Test func keyTable() throws {
    let readme = try String(contentsOfFile: Self.path, encoding: .utf8)
    let start = try #require(readme.firstRange(of: Self.begin)).upperBound
    let stop = try #require(readme.firstRange(of: Self.end)).lowerBound
    let table = Workbench.keyTableMarkdown()
    if ProcessInfo.processInfo.environment["VISE_WRITE_README"] != nil {
      try (readme[..<start] + table + readme[stop...]).write(
        toFile: Self.path, atomically: true, encoding: .utf8)
    } else {
      #expect(readme[start..<stop] == table)
    }
  }
}
