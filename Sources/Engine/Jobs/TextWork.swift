import Inference
import Tokenization

/// A file of texts on its way to token ids, a piece a step.
struct TextWork {
  let path: String
  private let id: JobID
  /// No more tokens than these are read.
  private let limit: Int
  private var reader: TextReader?
  private var tokens: [Int] = []

  init(path: String, limit: Int?, for id: JobID) {
    self.path = path
    self.id = id
    self.limit = limit ?? .max
  }

  /// Opens the file, or reads a piece of it.
  ///
  /// - Returns: the tokens, once the file has ended or there are enough; nil before.
  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> [Int]? {
    if reader == nil { try workspace.checkRuns() }
    let tokenizer = try workspace.models.tokenizer()
    do throws(TextError) {
      guard var reader else {
        let opened = try TextReader(path: path, tokenizer: tokenizer)
        let notes = opened.notes + [workspace.models.takeTokenizerNote()].compactMap(\.self)
        for note in notes { workspace.emit(.remarked(id, note)) }
        reader = opened
        return nil
      }
      if tokens.count < limit, let piece = try reader.next() {
        tokens += piece
        self.reader = reader
        return nil
      }
      return tokens
    } catch {
      throw JobFailure(error)
    }
  }

  /// The windows of the tokens that were read.
  ///
  /// - Parameters:
  ///   - tokens: what was read.
  ///   - path: the file that they are from.
  ///   - length: tokens of a window; nil for what suits the model.
  ///   - least: windows that there should be, for which shorter ones are taken of a short text.
  ///   - tokenLimit: most tokens of all windows, of which there is one at least; nil for all tokens.
  ///   - workspace: the open model.
  /// - Returns: windows of equal length.
  /// - Throws: ``JobFailure`` that names the file when they are too few for one window, or windows are too long.
  static func windows(
    of tokens: [Int], from path: String, length: Int?, least: Int = 1, tokenLimit: Int?,
    in workspace: inout Workspace
  ) throws(JobFailure) -> TokenWindows {
    let tokenizer = try workspace.models.tokenizer()
    let length = workspace.windowLength(length)
    do throws(InferenceError) {
      return try TokenWindows(
        tokens, length: length, least: least, limit: tokenLimit.map { max($0 / max(length, 1), 1) },
        beginToken: tokenizer.textBegin,
        contextLength: workspace.contextLength)
    } catch .emptyInput {
      throw JobFailure(
        sentence:
          "\(path): the text is \(tokens.count) tokens long, too short for a window; give one of "
          + "some thousand tokens")
    } catch {
      throw JobFailure(error)
    }
  }
}
