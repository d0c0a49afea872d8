import JSON
import Text

/// A bit of text as a server sends it: a token, or some.
public struct ServedPiece: Hashable, Sendable {
  /// Free of control characters; maybe empty.
  public var text: String
  /// Tokens of the answer so far, if the server counts them.
  public var tokens: Int?

  public init(text: String, tokens: Int? = nil) {
    self.text = text
    self.tokens = tokens
  }
}

/// Why a server ended its answer.
public enum ServedEnd: Hashable, Sendable {
  case complete
  /// The most tokens asked for, or as many as the model can read.
  case length
}

/// What one event of a stream says of an answer.
struct AnswerEvent: Hashable {
  var piece: ServedPiece?
  var end: ServedEnd?
  /// Whether nothing follows.
  var isLast = false

  /// Reads an event's data.
  ///
  /// - Throws: ``ServerFailure`` when the server tells of an error in it, or it is no event of an answer.
  init(_ data: [UInt8], from address: ServerAddress) throws(ServerFailure) {
    if data.elementsEqual("[DONE]".utf8) {
      isLast = true
      return
    }
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONReader.read(data)
    } catch {
      throw address.failure("the server sends what is no answer: \(error.reason)")
    }
    guard let object = value.object else {
      throw address.failure("the server sends what is no answer: not a JSON object")
    }
    if object["error"].map({ $0 != .null }) ?? false {
      throw address.failure(ServerMessage.text(in: value) ?? "the server tells of an error")
    }
    guard let choices = object["choices"]?.array else {
      throw address.failure("the server sends what is no answer: it has no \"choices\"")
    }
    let choice = choices.first?.object
    let delta = choice?["delta"]?.object
    // Chat sends deltas, and what a model thinks under one of two more names; raw completions send text.
    let text = [
      delta?["content"], delta?["reasoning_content"], delta?["reasoning"], choice?["text"],
    ].lazy.compactMap { $0?.string }.first { !$0.isEmpty }
    if let text {
      piece = ServedPiece(
        text: DisplayText.text(text), tokens: object["usage"]?.object?["completion_tokens"]?.integer
      )
    }
    if let reason = choice?["finish_reason"]?.string {
      end = reason == "length" ? .length : .complete
    }
  }
}
