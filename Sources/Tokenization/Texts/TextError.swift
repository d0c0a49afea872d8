/// Why a file of texts cannot be read: one sentence with file, line and reason.
public struct TextError: Error, Hashable, Sendable, CustomStringConvertible {
  public let path: String
  /// The line at fault, from 1; nil if it is the whole file.
  public let line: Int?
  /// What is wrong.
  public let reason: String

  init(path: String, line: Int? = nil, reason: String) {
    self.path = path
    self.line = line
    self.reason = reason
  }

  public var description: String {
    line.map { "\(path): line \($0): \(reason)" } ?? "\(path): \(reason)"
  }
}
