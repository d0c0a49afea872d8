import Checkpoints
import JSON

/// The prompts of a file: a JSON array of strings, or of objects with a `prompt`; else one prompt a line.
public struct PromptList: Hashable, Sendable {
  public let prompts: [String]

  /// The most bytes that a file of prompts may have.
  public static let byteLimit = 16 << 20

  /// Reads a file's bytes; blank lines count for nothing.
  ///
  /// - Throws: ``TextError`` for what is not UTF-8, for JSON of another form, and for a file without a prompt.
  public init(_ bytes: [UInt8], of path: String) throws(TextError) {
    guard bytes.count <= Self.byteLimit else {
      throw TextError(path: path, reason: "it has more than \(Self.byteLimit >> 20) MB of prompts")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw TextError(path: path, reason: "it is not UTF-8 text")
    }
    if let first = text.first(where: { !$0.isWhitespace }), first == "[",
      let array = (try? JSONReader.read(bytes))?.array
    {
      var prompts: [String] = []
      for (index, element) in array.enumerated() {
        guard let prompt = element.string ?? element.object?["prompt"]?.string else {
          throw TextError(
            path: path,
            reason: "element \(index + 1) is neither a string nor an object with a \"prompt\"")
        }
        prompts.append(prompt)
      }
      self.prompts = prompts
    } else {
      prompts = text.split(whereSeparator: \.isNewline).map(String.init)
        .filter { !$0.allSatisfy(\.isWhitespace) }
    }
    guard !prompts.isEmpty else { throw TextError(path: path, reason: "there is no prompt in it") }
  }
}
