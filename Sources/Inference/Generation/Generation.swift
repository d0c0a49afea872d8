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
  private let chunk: Int?
  private var cache: KeyValueCache
  /// Tokens that the model has not read yet: what is left of the prompt, or the last token chosen.
  private var unread: ArraySlice<Int>
  /// What the model is about to have read of them, where that takes more than one step.
  private var reading: PromptReading?
  private var stop: StopReason?
  /// The model that has read the first ``pureCount`` positions, and the one before all of them.
  private var readingModel: ReadingModel
  /// How many that are; nil while no other model has read any.
  private var pureCount: Int?
  /// Tokens of the prompt that did not have to be read, because an earlier prompt began alike.
  public let reusedCount: Int
  /// The prompt's tokens.
  public let prompt: [Int]
  /// Where the first token stands for the sampler's noise.
  private let noisePosition: Int
  /// Tokens of the prompt.
  public var promptCount: Int { prompt.count }
  /// Bytes that the keys and values of what was read take.
  public var cacheBytes: Int { cache.byteCount }
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
  ///   - cacheType: What keys and values are held as.
  ///   - noisePosition: Where the first token stands for the noise that it is sampled with; nil is after the prompt. Answers
  ///     to prompts of different lengths share noise where it is the same.
  ///   - earlier: What was read for an earlier prompt; it is gone on from as far as this one agrees.
  ///   - chunk: Most tokens of the prompt that go through the model together; nil is by its size.
  /// - Throws: ``InferenceError`` when the prompt is empty or longer than the context.
  public init(
    decoder: Decoder, prompt: [Int], sampler: Sampler, tokenLimit: Int, endTokens: Set<Int>,
    cacheType: CacheType = .f16, noisePosition: Int? = nil,
    continuing earlier: consuming ReadTokens? = nil, chunk: Int? = nil
  ) throws(InferenceError) {
    guard !prompt.isEmpty else { throw .emptyInput }
    let limit = decoder.description.contextLength
    guard prompt.count <= limit else { throw .contextExceeded(tokens: prompt.count, limit: limit) }
    self.sampler = sampler
    self.tokenLimit = tokenLimit
    self.endTokens = endTokens
    self.chunk = chunk
    self.prompt = prompt
    self.noisePosition = noisePosition ?? prompt.count
    if let beginning = earlier?.cutBack(to: prompt, for: decoder, as: cacheType) {
      cache = beginning
    } else {
      cache = decoder.makeCache(as: cacheType)
      cache.expectedCount = prompt.count
    }
    reusedCount = cache.count
    unread = prompt[cache.count...]
    readingModel = ReadingModel(decoder)
  }

  /// What was read so far, for a later prompt to go on from.
  public var readTokens: ReadTokens {
    ReadTokens(
      tokens: prompt + tokens, cache: cache, count: pureCount ?? cache.count, by: readingModel)
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
    if pureCount == nil, ReadingModel(decoder) != readingModel { pureCount = cache.count }
    guard let row = try lastRow(using: decoder) else {
      return .prompt(read: cache.count + (reading?.completedTokens ?? 0))
    }
    let logits = Logits(row.values)
    guard logits.areFinite else {
      throw .notFinite(place: "after \(prompt.count + tokens.count) tokens")
    }
    self.logits = logits
    let token = sampler.token(from: logits, at: noisePosition + tokens.count)
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
      let length = chunk ?? Self.chunk(of: decoder, at: cache.count)
      part = try PromptReading(
        Array(unread.prefix(max(length, 1))), after: cache, decoder: decoder)
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
  /// first block does not take long, of which attention is most after many others.
  private static func chunk(of decoder: Decoder, at position: Int) -> Int {
    guard let block = decoder.runningBlocks.first else { return 512 }
    let work = decoder.work[block]
    let weights = max(work.attention, work.inputs, work.output)
    let mostPerPosition = decoder.work.reduce(0) { max($0, $1.perPosition) }
    return min(
      max(StepLength.positions(forWeights: weights), 128),
      StepLength.positions(forWeights: mostPerPosition * position), 512)
  }

  /// Begins anew where the sequence has become so long that RoPE turns all its positions otherwise, as transformers does.
  private mutating func readAfreshIfStretched(by decoder: Decoder) {
    let length = prompt.count + tokens.count
    guard !decoder.turnsAlike(lengths: cache.expectedCount, length) else { return }
    cache = decoder.makeCache(as: cache.type)
    cache.expectedCount = length
    unread = (prompt + tokens)[...]
    (readingModel, pureCount) = (ReadingModel(decoder), nil)
  }

  private mutating func end(_ reason: StopReason) -> Step {
    stop = reason
    return .ended(reason)
  }
}
