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
    /// Most positions that one step scores, for which it computes logits of all models; nil is by the size of the head.
    public var chunk: Int?

    public init(
      window: Int = 512, windowLimit: Int? = nil, beginToken: Int? = nil, chunk: Int? = nil
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

  /// The models on their way through the current window; nil before they begin.
  private var referenceReader: WindowReader?
  private var compressedReader: WindowReader?
  /// The next position of the current window to score.
  private var position: Int
  /// Whether the reference need not be read again.
  private let knowsStates: Bool
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
    chunkLength = max(settings.chunk ?? reference.positionsAtHead, 1)
    self.compares = compares
    position = windows.scored.lowerBound
    knowsStates = states?.windows == windows
    if let states, states.windows == windows {
      self.states = states
    } else {
      self.states = ReferenceStates(windows)
    }
  }

  /// What the reference's head read, for further evaluations on the same text; nil until all windows are read.
  public var referenceStates: ReferenceStates? { states.isComplete ? states : nil }

  /// Windows that will be read.
  public var windowCount: Int { windows.count }

  /// Tokens that the whole evaluation scores.
  public var scoredTokenCount: Int { windows.count * windows.scored.count }

  /// Share of the work that is done: 0...1.
  public var fractionCompleted: Double {
    let scored = Double(position - windows.scored.lowerBound) / Double(windows.scored.count)
    var (done, parts) = (scored, 1.0)
    if !knowsStates {
      done += referenceReader?.fractionCompleted ?? 0
      parts += 1
    }
    if compares {
      done += compressedReader?.fractionCompleted ?? 0
      parts += 1
    }
    return (Double(completedWindows) + done / parts) / Double(windowCount)
  }

  /// What was found in the windows read so far; nil before the first is complete.
  public var result: EvaluationSummary? { scores.summary }

  /// Takes one model some positions through one block, or scores some tokens.
  ///
  /// - Parameters:
  ///   - reference: The model as it was opened.
  ///   - compressed: The model to compare; not used unless the evaluation compares.
  /// - Returns: Whether there is more to do.
  /// - Throws: ``InferenceError`` when a model cannot read the tokens, or what it computes are no numbers.
  public mutating func step(
    reference: Decoder, compressed: Decoder? = nil
  ) throws(InferenceError) -> Bool {
    guard completedWindows < windowCount else { return false }
    let compressed = compares ? compressed : nil
    // The last token of a window predicts nothing that is scored.
    let tokens = windows.inputs(0..<windows.scored.upperBound, ofWindow: completedWindows)
    if !knowsStates, try Self.read(tokens, with: reference, &referenceReader) { return true }
    if let compressed, try Self.read(tokens, with: compressed, &compressedReader) { return true }
    try score(reference, compressed)
    return completedWindows < windowCount
  }

  /// Takes a model on through a window; false once it has read it.
  private static func read(
    _ tokens: [Int], with decoder: Decoder, _ reader: inout WindowReader?
  ) throws(InferenceError) -> Bool {
    if reader == nil { reader = try WindowReader(tokens, decoder: decoder) }
    return reader?.step(with: decoder) ?? false
  }

  /// Scores some tokens of a window that all models have read.
  private mutating func score(
    _ reference: Decoder, _ compressed: Decoder?
  ) throws(InferenceError) {
    if !knowsStates, position == windows.scored.lowerBound, let reader = referenceReader {
      states.append(reference.headInputs(reader.hidden.rows(windows.scored)))
    }
    let positions = position..<min(position + chunkLength, windows.scored.upperBound)
    let found = compressedReader.flatMap { reader in
      compressed.map { $0.logits(of: $0.headInputs(reader.hidden.rows(positions))) }
    }
    try scores.add(
      followers: windows.followers(of: positions, inWindow: completedWindows),
      reference: reference.logits(of: states[completedWindows, positions]), compressed: found)
    position = positions.upperBound
    guard position == windows.scored.upperBound else { return }
    scores.closeWindow()
    completedWindows += 1
    position = windows.scored.lowerBound
    (referenceReader, compressedReader) = (nil, nil)
  }
}
