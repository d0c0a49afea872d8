import Inference
import Tokenization
import Work

/// Texts that jobs read.
extension Workspace {
  /// The token ids of a file of texts.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - limit: no more tokens than these are needed; nil reads all.
  ///   - turn: of the job that reads it.
  /// - Returns: at least `limit` of them, if there are so many.
  /// - Throws: ``JobFailure`` for a model that does not run, and for a file that cannot be read.
  func tokens(
    ofText path: String, limit: Int?, _ turn: Turn
  ) throws(JobFailure) -> [Int] {
    try checkRuns()
    let tokenizer = try models.tokenizer()
    var reader: TextReader
    do { reader = try TextReader(path: path, tokenizer: tokenizer) } catch {
      throw JobFailure(error)
    }
    for note in reader.notes + [models.takeTokenizerNote()].compactMap(\.self) {
      turn.workspace.emit(.remarked(turn.job, note))
    }
    var tokens: [Int] = []
    while tokens.count < limit ?? .max {
      let piece: [Int]?
      do { piece = try reader.next() } catch { throw JobFailure(error) }
      guard let piece else { break }
      tokens += piece
      try turn.tick()
    }
    return tokens
  }

  /// The windows of the tokens that were read.
  ///
  /// - Parameters:
  ///   - tokens: what was read.
  ///   - path: the file that they are from.
  ///   - length: tokens of a window; nil for what suits the model.
  ///   - least: windows that there should be, for which shorter ones are taken of a short text.
  ///   - tokenLimit: most tokens of all windows, of which there is one at least; nil for all tokens.
  /// - Returns: windows of equal length.
  /// - Throws: ``JobFailure`` that names the file when they are too few for one window, or windows are too long.
  func windows(
    of tokens: [Int], from path: String, length: Int?, least: Int = 1, tokenLimit: Int?
  ) throws(JobFailure) -> TokenWindows {
    let tokenizer = try models.tokenizer()
    let length = windowLength(length)
    do throws(InferenceError) {
      return try TokenWindows(
        tokens, length: length, least: least, limit: tokenLimit.map { max($0 / max(length, 1), 1) },
        beginToken: tokenizer.textBegin, contextLength: contextLength)
    } catch .emptyInput {
      throw JobFailure(
        sentence:
          "\(path): the text is \(tokens.count) tokens long, too short for a window; give one of "
          + "some thousand tokens")
    } catch {
      throw JobFailure(error)
    }
  }

  /// How an evaluation reads windows of a text.
  func evaluationSettings(
    window: Int?, limit: Int?
  ) throws(JobFailure) -> Evaluation.Settings {
    Evaluation.Settings(
      window: windowLength(window), windowLimit: limit,
      beginToken: try models.tokenizer().textBegin)
  }

  /// Tokens of a window of text: those asked for, or what suits the model.
  func windowLength(_ asked: Int?) -> Int {
    StandardWindow.length(asked: asked, context: contextLength)
  }

  /// How many tokens to encode for `count` windows; nil encodes the whole text.
  func tokens(ofWindows count: Int?, of asked: Int?) -> Int? {
    guard let count else { return nil }
    let (tokens, isTooMany) = count.multipliedReportingOverflow(by: windowLength(asked))
    return isTooMany ? nil : tokens
  }
}
