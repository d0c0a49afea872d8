/// A text cut into windows of equally many tokens, each read afresh from position 0.
///
/// What is left over at the end is not read; a text shorter than a window is one window.
public struct TokenWindows: Hashable, Sendable {
  private let tokens: [Int]
  /// Tokens of a window.
  public let length: Int
  /// Windows.
  public let count: Int
  private let beginToken: Int?
  /// Whether the text is too short for windows of the length that was asked for.
  public let isShortened: Bool

  /// The windows of a text.
  ///
  /// - Parameters:
  ///   - tokens: The text.
  ///   - length: Tokens of a window, at least 3 so that the second half predicts a token; fewer are taken of a text that is
  ///     too short for so many.
  ///   - least: Windows that there should be, for which shorter ones are taken.
  ///   - limit: Most windows to read; nil reads the whole text.
  ///   - beginToken: Stands in for the first token of each window, as in llama.cpp: the text itself starts with it,
  ///     so that the first window loses nothing; nil for models that want none.
  ///   - contextLength: The longest window that the model reads.
  /// - Throws: ``InferenceError`` when there is no window, or one exceeds the context.
  public init(
    _ tokens: [Int], length: Int, least: Int = 1, limit: Int? = nil, beginToken: Int? = nil,
    contextLength: Int
  ) throws(InferenceError) {
    guard length <= contextLength else {
      throw .contextExceeded(tokens: length, limit: contextLength)
    }
    let share = tokens.count / max(least, 1)
    self.length = min(length, share >= 3 ? share : tokens.count)
    isShortened = self.length < length
    guard self.length >= 3 else { throw .emptyInput }
    count = min(tokens.count / self.length, limit ?? .max)
    guard count > 0 else { throw .emptyInput }
    self.tokens = tokens
    self.beginToken = beginToken
  }

  /// What a model reads at some positions of a window.
  public func inputs(_ positions: Range<Int>, ofWindow window: Int) -> [Int] {
    let base = window * length
    var inputs = Array(tokens[base + positions.lowerBound..<base + positions.upperBound])
    if positions.lowerBound == 0, !inputs.isEmpty, let beginToken { inputs[0] = beginToken }
    return inputs
  }

  /// What a model reads of each window.
  public var all: [[Int]] { (0..<count).map { inputs(0..<length, ofWindow: $0) } }

  /// The tokens that follow some positions of a window.
  ///
  /// - Precondition: none is the window's last position.
  public func followers(of positions: Range<Int>, inWindow window: Int) -> [Int] {
    let base = window * length + 1
    return Array(tokens[base + positions.lowerBound..<base + positions.upperBound])
  }

  /// The positions after which tokens are scored: those of the second half that have a follower.
  public var scored: Range<Int> { length / 2..<length - 1 }
}
