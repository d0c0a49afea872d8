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
  /// What the model is about to have read of them, where that takes more than one step.
  private var reading: PromptReading?
  private var stop: StopReason?
  /// Tokens of the prompt.
  public var promptCount: Int { prompt.count }
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
  ///   - chunk: Most tokens of the prompt that go through the model together; nil is by its size.
  /// - Throws: ``InferenceError`` when the prompt is empty or longer than the context.
  public init(
    decoder: Decoder, prompt: [Int], sampler: Sampler, tokenLimit: Int, endTokens: Set<Int>,
    chunk: Int? = nil
  ) throws(InferenceError) {
    guard !prompt.isEmpty else { throw .emptyInput }
    let limit = decoder.description.contextLength
    guard prompt.count <= limit else { throw .contextExceeded(tokens: prompt.count, limit: limit) }
    self.sampler = sampler
    self.tokenLimit = tokenLimit
    self.endTokens = endTokens
    self.chunk = max(chunk ?? Self.chunk(of: decoder), 1)
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
    if reading == nil { readAfreshIfStretched(by: decoder) }
    guard let row = try lastRow(using: decoder) else {
      return .prompt(read: cache.count + (reading?.completedTokens ?? 0))
    }
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

  /// Reads on.
  ///
  /// - Returns: The logits after the last token; nil while there is more to read.
  private mutating func lastRow(using decoder: Decoder) throws(InferenceError) -> Matrix? {
    var part: PromptReading
    if let reading {
      part = reading
    } else {
      part = try PromptReading(Array(unread.prefix(chunk)), after: cache, decoder: decoder)
    }
    reading = nil
    guard part.step(using: decoder, cache: &cache) else {
      reading = part
      return nil
    }
    unread.removeFirst(part.hidden.rows)
    return unread.isEmpty ? decoder.lastLogits(of: part.hidden) : nil
  }

  /// Tokens of a prompt that go through a model together: enough to make decoding weights cheap, and few enough that the
  /// first block does not take long.
  private static func chunk(of decoder: Decoder) -> Int {
    let weights = decoder.runningBlocks.first.map(decoder.weights) ?? 0
    return min(max(StepLength.positions(forWeights: weights), 128), 512)
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
