import Checkpoints
import Tensors

/// PPL of a model on a text, and what a compressed model loses against it, in steps.
///
/// The text is cut into windows that are read afresh; each token of a window's second half is scored by what the model
/// expected after those before it, as llama.cpp's perplexity tool does. What is left over at the end is not read.
public struct Evaluation: Sendable {
  /// How a text is read.
  public struct Settings: Hashable, Sendable {
    /// Tokens of a window; a shorter text is one window.
    public var window: Int
    /// Most windows to read; nil reads the whole text.
    public var windowLimit: Int?
    /// Stands in for the first token of each window; nil for models that want none.
    public var beginToken: Int?
    /// Most tokens that one step reads.
    public var chunk: Int

    public init(
      window: Int = 512, windowLimit: Int? = nil, beginToken: Int? = nil, chunk: Int = 24
    ) {
      self.window = window
      self.windowLimit = windowLimit
      self.beginToken = beginToken
      self.chunk = chunk
    }
  }

  private let windows: TokenWindows
  private let chunkLength: Int
  /// Whether a compressed model is measured too.
  public let compares: Bool
  /// Windows that have been read.
  public private(set) var completedWindows = 0

  private var referenceCache: KeyValueCache
  private var compressedCache: KeyValueCache
  /// Positions of the current window that all models have read.
  private var position = 0
  /// The reference's logits of a chunk that the compressed model reads next.
  private var awaiting: Matrix?
  private var scores = Scores()
  private var states: ReferenceStates

  /// An evaluation on the given tokens.
  ///
  /// - Parameters:
  ///   - tokens: The text.
  ///   - settings: How it is read.
  ///   - reference: The model; steps may use others of the same shape.
  ///   - compares: Whether a compressed model is measured too.
  ///   - states: What an earlier evaluation kept of the reference, used if it read the same windows.
  /// - Throws: ``InferenceError`` when there is nothing to score, or a window exceeds the context.
  public init(
    tokens: [Int], settings: Settings, reference: Decoder, compares: Bool,
    states: ReferenceStates? = nil
  ) throws(InferenceError) {
    windows = try TokenWindows(
      tokens, length: settings.window, limit: settings.windowLimit,
      beginToken: settings.beginToken, contextLength: reference.description.contextLength)
    chunkLength = max(settings.chunk, 1)
    self.compares = compares
    referenceCache = reference.makeCache()
    compressedCache = reference.makeCache()
    self.states = ReferenceStates(windows)
    if let states, states.windows == windows { self.states = states }
  }

  /// What the reference's head read, for further evaluations on the same text; nil until all windows are read.
  public var referenceStates: ReferenceStates? { states.isComplete ? states : nil }

  /// Windows that will be read.
  public var windowCount: Int { windows.count }

  /// Tokens that the whole evaluation scores.
  public var scoredTokenCount: Int { windows.count * windows.scored.count }

  /// Share of the work that is done: 0...1.
  public var fractionCompleted: Double {
    let models = compares ? 2 : 1
    let length = windows.scored.upperBound
    let read = (completedWindows * length + position) * models
    let ahead = awaiting == nil ? 0 : chunk.tokens.count
    return Double(read + ahead) / Double(windowCount * length * models)
  }

  /// What was found in the windows read so far; nil before the first is complete.
  public var result: EvaluationSummary? { scores.summary }

  /// Lets one model read one chunk.
  ///
  /// - Parameters:
  ///   - reference: The model as it was opened.
  ///   - compressed: The model to compare; not used unless the evaluation compares.
  /// - Returns: Whether there is more to read.
  /// - Throws: ``InferenceError`` when a model cannot read the tokens.
  public mutating func step(
    reference: Decoder, compressed: Decoder? = nil
  ) throws(InferenceError) -> Bool {
    guard completedWindows < windowCount else { return false }
    let chunk = chunk
    guard let compressed, compares else {
      finish(chunk, reference: try logits(of: chunk, from: reference), compressed: nil)
      return completedWindows < windowCount
    }
    guard let expected = awaiting else {
      awaiting = try logits(of: chunk, from: reference)
      return true
    }
    // A pruned model keeps other keys and values than the reference.
    if position == 0 { compressedCache = compressed.makeCache() }
    let found = try compressed.forward(
      tokens: chunk.tokens, cache: &compressedCache, wants: chunk.isScored ? .all : .none)
    awaiting = nil
    finish(chunk, reference: expected, compressed: found)
    return completedWindows < windowCount
  }

  /// The reference's logits after the tokens of a chunk, read or computed again; none if it is not scored.
  private mutating func logits(
    of chunk: Chunk, from reference: Decoder
  ) throws(InferenceError) -> Matrix {
    let none = Matrix(rows: 0, columns: reference.description.vocabularySize)
    if states.isComplete {
      guard chunk.isScored else { return none }
      return reference.logits(of: states[completedWindows, chunk.positions])
    }
    let hidden = try reference.read(chunk.tokens, cache: &referenceCache)
    guard chunk.isScored else { return none }
    let inputs = reference.headInputs(hidden)
    states.append(inputs, ofWindow: completedWindows)
    return reference.logits(of: inputs)
  }

  /// Tokens of a window that are read at once: all scored, or none.
  private struct Chunk {
    let positions: Range<Int>
    let tokens: [Int]
    let isScored: Bool
  }

  /// What is read next.
  private var chunk: Chunk {
    let isScored = position >= windows.scored.lowerBound
    // The last token of a window predicts nothing that is scored.
    let limit = isScored ? windows.scored.upperBound : windows.scored.lowerBound
    let positions = position..<min(position + chunkLength, limit)
    let tokens = windows.inputs(positions, ofWindow: completedWindows)
    return Chunk(positions: positions, tokens: tokens, isScored: isScored)
  }

  /// Scores a chunk that every model has read.
  private mutating func finish(_ chunk: Chunk, reference: Matrix, compressed: Matrix?) {
    position = chunk.positions.upperBound
    if chunk.isScored {
      let followers = windows.followers(of: chunk.positions, inWindow: completedWindows)
      scores.add(followers: followers, reference: reference, compressed: compressed)
    }
    guard position == windows.scored.upperBound else { return }
    scores.closeWindow()
    completedWindows += 1
    position = 0
    referenceCache.truncate(to: 0)
    compressedCache.truncate(to: 0)
  }
}
