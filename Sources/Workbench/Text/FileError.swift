/// Why a theme or a settings file cannot be used, and where it says so.
struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
  let file: String
  /// From 1; nil if no one line is to blame.
  let line: Int?
  /// What is wrong and what would be right, in one sentence.
  let reason: String

  init(file: String, line: Int? = nil, _ reason: String) {
    self.file = file
    self.line = line
    self.reason = reason
  }

  var description: String {
    "\(file)\(line.map { ":\($0)" } ?? ""): \(reason)"
  }
}
