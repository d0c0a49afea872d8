import Foundation
import Tokenization

/// Files with prompts in them.
enum PromptFile {
  /// The most bytes of a file that is asked as one prompt: more than any context holds.
  private static let byteLimit = 4 << 20

  /// Reads a file that is one prompt.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - text: What is the prompt if there is no such file; nil if there has to be one.
  /// - Returns: What came of it.
  static func read(_ path: String, orElse text: String?) -> FileEvent {
    let place = FileWorker.expanded(path)
    if let text, !FileManager.default.fileExists(atPath: place) { return .promptIsText(text) }
    return event(ofFile: path) { bytes in
      guard let prompt = String(validating: bytes, as: UTF8.self) else {
        return .promptsUnreadable(reason: "cannot read \(path): it is not UTF-8 text")
      }
      return prompt.allSatisfy(\.isWhitespace)
        ? .promptsUnreadable(reason: "\(path) is empty") : .promptRead(path: path, prompt)
    }
  }

  /// Reads a file of many prompts.
  static func readList(_ path: String) -> FileEvent {
    event(ofFile: path) { bytes in
      do throws(TextError) {
        return .promptsRead(path: path, try PromptList(Array(bytes), of: path).prompts)
      } catch {
        return .promptsUnreadable(reason: error.description)
      }
    }
  }

  /// What the bytes of a file come to; no more is read than prompts may have.
  private static func event(ofFile path: String, _ event: (Data) -> FileEvent) -> FileEvent {
    do {
      let file = try FileHandle(forReadingFrom: URL(filePath: FileWorker.expanded(path)))
      defer { try? file.close() }
      let bytes = try file.read(upToCount: byteLimit + 1) ?? Data()
      guard bytes.count <= byteLimit else {
        return .promptsUnreadable(
          reason: "\(path) has more than \(byteLimit >> 20) MB, which no context holds")
      }
      return event(bytes)
    } catch {
      return .promptsUnreadable(reason: "cannot read \(path): \(FileWorker.reason(error))")
    }
  }
}
