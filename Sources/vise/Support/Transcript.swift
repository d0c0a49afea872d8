import Compression
import Engine

/// The answers as they come, written one after the other though they are made side by side.
struct Transcript {
  /// One answer, as `vise generate --json` prints it.
  struct Answer: Encodable {
    var text = ""
    /// Nil for a server, which sends none.
    var tokenIds: [Int]?
    /// The served model's name.
    var model: String?
    /// Tokens, or what a server sends at a time.
    fileprivate var count = 0
    var tokensPerSecond = Figure(nil)
    /// Nil for a server.
    var promptTokens: Int?
    var promptSeconds: Double?
    var cacheBytes: Int?
    var inputSparsity: Figure?

    private enum CodingKeys: CodingKey {
      case text, tokenIds, model, tokensPerSecond, promptTokens, promptSeconds, cacheBytes
      case inputSparsity
    }
  }

  /// What `vise generate --json` prints.
  struct Result: Encodable {
    let reference: Answer?
    let compressed: Answer?
    let served: Answer?
  }

  private let sides: [AnswerSide]
  private let isStreamed: Bool
  private var answers: [AnswerSide: Answer] = [:]
  private var ended: Set<AnswerSide> = []
  /// The side being written, by its place in `sides`, and how much of its text has been.
  private var current = 0
  private var written = 0

  /// A transcript of the answers of these sides; not streamed, it only collects them.
  init(sides: [AnswerSide], isStreamed: Bool) {
    self.sides = sides
    self.isStreamed = isStreamed
    for side in sides { answers[side] = Answer(tokenIds: side == .served ? nil : []) }
    writeHeading()
  }

  /// The answers as far as they have come.
  var result: Result {
    Result(
      reference: answers[.reference], compressed: answers[.compressed], served: answers[.served])
  }

  /// Says what the served model is called.
  mutating func name(_ model: String?) { answers[.served]?.model = model }

  /// Adds a token to its side's answer.
  mutating func add(_ token: GeneratedToken) {
    answers[token.side]?.text += token.text
    answers[token.side]?.count += 1
    if let id = token.id { answers[token.side]?.tokenIds?.append(id) }
    answers[token.side]?.tokensPerSecond = Figure(token.tokensPerSecond)
    if token.side != .served {
      answers[token.side]?.promptTokens = token.promptTokens
      answers[token.side]?.promptSeconds = token.promptSeconds
      answers[token.side]?.cacheBytes = token.cacheBytes
      answers[token.side]?.inputSparsity = token.inputSparsity.map { Figure($0) }
    }
    stream()
  }

  /// Says that a side's answer is complete.
  mutating func finish(_ side: AnswerSide) {
    ended.insert(side)
    stream()
  }

  /// Ends the line that was being written.
  mutating func end() {
    guard isStreamed, current < sides.count, written > 0 else { return }
    OutputStream.standard.write("\n")
    written = 0
  }

  private mutating func stream() {
    guard isStreamed else { return }
    while current < sides.count, let answer = answers[sides[current]] {
      let bytes = answer.text.utf8
      OutputStream.standard.writeAnswer(
        String(decoding: bytes.dropFirst(written), as: UTF8.self))
      written = bytes.count
      guard ended.contains(sides[current]) else { return }
      OutputStream.standard.write(current + 1 < sides.count ? "\n\n" : "\n")
      writeSpeed(of: answer)
      current += 1
      written = 0
      writeHeading()
    }
  }

  private func writeHeading() {
    guard isStreamed, sides.count > 1, current < sides.count else { return }
    OutputStream.standard.writeLine("[\(sides[current].rawValue)]")
  }

  private func writeSpeed(of answer: Answer) {
    guard OutputStream.error.isTerminal, let speed = answer.tokensPerSecond.value else { return }
    let cache = answer.cacheBytes.map { ", KV cache \($0.megabytes) MB" } ?? ""
    let left =
      answer.inputSparsity?.value.map { ", \(($0 * 100).fixed(0)) % of inputs left out" } ?? ""
    OutputStream.error.writeLine(
      "(\(answer.count) tokens, \(speed.fixed(1)) tok/s\(cache)\(left))")
  }
}
