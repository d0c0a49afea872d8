import Checkpoints
import Tensors

/// One answer, token by token: whoever drives it may interleave several, and change layers between steps.
public struct Generation: Sendable {
  /// Why an answer ended.
  public enum StopReason: Hashable, Sendable {
    case endToken, tokenLimit, contextLimit
  }

  /// What one step did.
  public enum Step: Hashable, Sendable {
    /// Read a part of the prompt; so many of its tokens are read.
    case prompt(read: Int)
    /// Chose the next token.
    case token(Int)
    /// There is no next token; further steps say the same.
    case ended(StopReason)
  }

  private let sampler: Sampler
  private let tokenLimit: Int
  private let endTokens: Set<Int>
  private let chunk: Int
  private let prompt: [Int]
  private var cache: KeyValueCache
  /// Tokens that the model has not read yet: what is left of the prompt, or the last token chosen.
  private var unread: ArraySlice<Int>
  private var stop: StopReason?
  /// The answer so far, without the end token.
  public private(set) var tokens: [Int] = []
  /// The logits that the last token was chosen from.
  public private(set) var logits: Logits?

  /// An answer to a prompt.
  ///
  /// - Parameters:
  ///   - decoder: The model; later steps may use others of the same shape.
  ///   - prompt: The prompt's tokens.
  ///   - sampler: Chooses the tokens.
  ///   - tokenLimit: Most tokens of the answer.
  ///   - endTokens: Tokens that end the answer and are no part of it.
  ///   - chunk: Most tokens of the prompt that one step reads.
  /// - Throws: ``InferenceError`` when the prompt is empty or longer than the context.
  public init(
    decoder: Decoder, prompt: [Int], sampler: Sampler, tokenLimit: Int, endTokens: Set<Int>,
    chunk: Int = 24
  ) throws(InferenceError) {
    guard !prompt.isEmpty else { throw .emptyInput }
    let limit = decoder.description.contextLength
    guard prompt.count <= limit else { throw .contextExceeded(tokens: prompt.count, limit: limit) }
    self.sampler = sampler
    self.tokenLimit = tokenLimit
    self.endTokens = endTokens
    self.chunk = max(chunk, 1)
    self.prompt = prompt
    cache = decoder.makeCache()
    cache.expectedCount = prompt.count
    unread = prompt[...]
  }

  /// Reads a part of the prompt, or chooses one token.
  ///
  /// - Throws: ``InferenceError`` for a decoder of another shape, ids outside its vocabulary, or scores that are no numbers.
  public mutating func step(using decoder: Decoder) throws(InferenceError) -> Step {
    if let stop { return .ended(stop) }
    guard tokens.count < tokenLimit else { return end(.tokenLimit) }
    guard cache.count + unread.count <= decoder.description.contextLength else {
      return end(.contextLimit)
    }
    readAfreshIfStretched(by: decoder)
    let part = Array(unread.prefix(chunk))
    let isLast = part.count == unread.count
    let row = try decoder.forward(tokens: part, cache: &cache, wants: isLast ? .last : .none)
    unread.removeFirst(part.count)
    guard isLast else { return .prompt(read: cache.count) }

    let logits = Logits(row.values)
    guard logits.areFinite else {
      throw .notFinite(place: "after \(prompt.count + tokens.count) tokens")
    }
    self.logits = logits
    let token = sampler.token(from: logits, at: prompt.count + tokens.count)
    guard !endTokens.contains(token) else { return end(.endToken) }
    tokens.append(token)
    unread = [token]
    return .token(token)
  }

  /// Begins anew where the sequence has become so long that RoPE turns all its positions otherwise, as transformers does.
  private mutating func readAfreshIfStretched(by decoder: Decoder) {
    let length = prompt.count + tokens.count
    guard !decoder.turnsAlike(lengths: cache.expectedCount, length) else { return }
    cache = decoder.makeCache()
    cache.expectedCount = length
    unread = (prompt + tokens)[...]
  }

  private mutating func end(_ reason: StopReason) -> Step {
    stop = reason
    return .ended(reason)
  }
}
