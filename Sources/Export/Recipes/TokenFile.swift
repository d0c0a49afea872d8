import JSON

/// Windows of tokens for programs elsewhere, so that they read just what Vise reads: `calibration.json`, `evaluation.json`.
public enum TokenFile {
  /// The file's text.
  ///
  /// - Parameters:
  ///   - windows: Ids of equally many tokens each.
  ///   - text: The file that they are from.
  /// - Returns: JSON in one line.
  public static func text(_ windows: [[Int]], of text: String) -> String {
    let value: JSONValue = [
      "text": .string(text),
      "windows": .array(windows.map { .array($0.map { .integer($0) }) }),
    ]
    return String(decoding: JSONWriter.bytes(of: value), as: UTF8.self) + "\n"
  }
}
