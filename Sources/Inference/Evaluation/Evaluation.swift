import Checkpoints
import Tensors
import Work

/// PPL of a model on a text, and what a compressed model loses against it.
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
    /// Most positions that are scored at once, for which logits of all models are computed; nil is by the size of the head.
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
  /// Whether the reference need not be read again.
  private let knowsStates: Bool
  private var scores = Scores()
  private var states: ReferenceStates

  /// An evaluation on the given tokens.
  ///
  /// - Parameters:
  ///   - tokens: The text.
  ///   - settings: How it is read.
  ///   - reference: The model.
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

  /// What was found in the windows read so far; nil before the first is complete.
  public var result: EvaluationSummary? { scores.summary }

  /// Reads the windows one by one, and scores the second half of each.
  ///
  /// - Parameters:
  ///   - reference: The model as it was opened.
  ///   - compressed: The model to compare; not used unless the evaluation compares.
  ///   - pace: Of all windows.
  ///   - isFound: Told what was found so far, after each window.
  /// - Throws: ``InferenceError`` when a model cannot read the tokens, or what it computes are no numbers.
  public mutating func run(
    reference: Decoder, compressed: Decoder? = nil, pace: Pace = .unwatched,
    isFound: (Evaluation) -> Void = { _ in }
  ) throws(InferenceError) {
    let compressed = compares ? compressed : nil
    let parts = 1 + (knowsStates ? 0 : 1) + (compares ? 1 : 0)
    for (window, pace) in pace.parts(0..<windowCount) {
      // The last token of a window predicts nothing that is scored.
      let tokens = windows.inputs(0..<windows.scored.upperBound, ofWindow: window)
      if !knowsStates {
        let read = try reference.lastStates(of: tokens, pace: pace.part(0, of: parts))
        states.append(reference.headInputs(read.rows(windows.scored)))
      }
      let read = try compressed?.lastStates(of: tokens, pace: pace.part(parts - 2, of: parts))
      let pace = pace.part(parts - 1, of: parts)
      for start in stride(
        from: windows.scored.lowerBound, to: windows.scored.upperBound, by: chunkLength)
      {
        let positions = start..<min(start + chunkLength, windows.scored.upperBound)
        let found = compressed.flatMap { model in
          read.map { model.logits(of: model.headInputs($0.rows(positions))) }
        }
        try scores.add(
          followers: windows.followers(of: positions, inWindow: window),
          reference: reference.logits(of: states[window, positions]), compressed: found)
        let done = positions.upperBound - windows.scored.lowerBound
        try pace.advance(to: Double(done) / Double(windows.scored.count))
      }
      scores.closeWindow()
      isFound(self)
    }
  }
}
