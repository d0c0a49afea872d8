/// Why a theme or a settings file cannot be used, and where it says so.
package struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
  package let file: String
  /// From 1; nil if no one line is to blame.
  package let line: Int?
  /// What is wrong and what would be right, in one sentence.
  package let reason: String

  package init(file: String, line: Int? = nil, _ reason: String) {
    self.file = file
    self.line = line
    self.reason = reason
  }

  package var description: String {
    "\(file)\(line.map { ":\($0)" } ?? ""): \(reason)"
  }
}
