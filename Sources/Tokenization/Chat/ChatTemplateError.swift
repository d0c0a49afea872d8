import Text

/// Why a chat template cannot be read, or writes nothing for some messages: one sentence with line and reason.
public struct ChatTemplateError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The line of the template at fault, from 1; nil if it is no line's fault.
  public let line: Int?
  /// What is wrong; a template may have written it.
  public let reason: String

  /// Longest reason in characters.
  private static let lengthLimit = 300

  init(line: Int?, reason: String) {
    self.line = line
    // A template may raise any text.
    self.reason = DisplayText.line(reason, limit: Self.lengthLimit)
  }

  public var description: String {
    line.map { "the chat template, line \($0): \(reason)" } ?? "the chat template: \(reason)"
  }
}
