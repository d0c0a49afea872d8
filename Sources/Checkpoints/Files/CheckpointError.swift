import Text

/// Why a checkpoint could not be opened or read: one sentence with file, tensor, reason and way out.
public struct CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file at fault, or the directory if a file is missing from it.
  public let file: String
  /// The tensor at fault, named as the file names it.
  public let tensor: String?
  /// What is wrong.
  public let reason: String
  /// What the user can do about it.
  public let hint: String?

  /// An error whose texts are safe to print, even when they quote a hostile file.
  public init(file: String, tensor: String? = nil, reason: String, hint: String? = nil) {
    self.file = Self.printable(file)
    self.tensor = tensor.map(Self.printable)
    self.reason = Self.printable(reason)
    self.hint = hint.map(Self.printable)
  }

  public var description: String {
    let subject = tensor.map { "\(file): tensor \($0)" } ?? file
    return hint.map { "\(subject): \(reason); \($0)" } ?? "\(subject): \(reason)"
  }

  /// `text` without what would act on a terminal, and of bounded length.
  private static func printable(_ text: String) -> String {
    let limit = 600
    let shown = DisplayText.spelled(String(text.unicodeScalars.prefix(limit)), isLine: true)
    return text.unicodeScalars.dropFirst(limit).isEmpty ? shown : shown + "…"
  }
}
