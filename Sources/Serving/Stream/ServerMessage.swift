import JSON
import Text

/// What a server says when it refuses a request.
enum ServerMessage {
  /// Most bytes of a refusal that are read.
  static let limit = 1 << 16

  /// The sentence for a response that is no answer.
  ///
  /// - Parameters:
  ///   - status: the HTTP status.
  ///   - body: what came with it; JSON, a page, a text, or anything.
  ///   - keyName: the variable that a key belongs into.
  /// - Returns: the status, what the server says, and what to do.
  static func refusal(
    status: Int, body: [UInt8], keyName: String = ServerKey.names[0]
  ) -> String {
    let said = (try? JSONReader.read(body)).map { text(in: $0) } ?? plainText(body)
    let hint =
      switch status {
      case 401, 403: "; set \(keyName) to the server's key"
      case 404 where said == nil: "; is its URL right, and does it speak OpenAI's API?"
      case 500... where said == nil: "; the server's own log may say why"
      default: ""
      }
    return "HTTP \(status)" + (said.map { ": \($0)" } ?? "") + hint
  }

  /// The message in a JSON text, wherever the servers of this world put it; nil if there is none.
  static func text(in value: JSONValue) -> String? {
    let object = value.object
    // OpenAI and vLLM: error.message; older vLLM: message; FastAPI: detail, a text or a list of {msg}.
    let candidates = [
      object?["error"]?.object?["message"], object?["error"], object?["message"],
      object?["detail"], object?["detail"]?.array?.first?.object?["msg"],
    ]
    return candidates.lazy.compactMap { $0?.string }.map { DisplayText.line($0) }
      .first { !$0.isEmpty }
  }

  /// The text, if people can read it in a line: no page of HTML, no rubbish.
  private static func plainText(_ body: [UInt8]) -> String? {
    guard body.count < 1000, let text = String(validating: body, as: UTF8.self),
      !text.contains("<"), !text.contains("{")
    else { return nil }
    let line = DisplayText.line(text)
    return line.isEmpty ? nil : line
  }
}
