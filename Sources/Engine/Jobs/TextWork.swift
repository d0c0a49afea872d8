import Inference
import Tokenization

/// A file of texts on its way to token ids, a piece a step.
struct TextWork {
  let path: String
  /// No more tokens than these are read.
  private let limit: Int
  private var reader: TextReader?
  private var tokens: [Int] = []

  init(path: String, limit: Int?) {
    self.path = path
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
        reader = try TextReader(path: path, tokenizer: tokenizer)
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
  ///   - tokenLimit: most tokens of all windows, of which there is one at least; nil for all tokens.
  ///   - workspace: the open model.
  /// - Returns: windows of equal length.
  /// - Throws: ``JobFailure`` that names the file when they are too few for one window, or windows are too long.
  static func windows(
    of tokens: [Int], from path: String, length: Int?, tokenLimit: Int?,
    in workspace: inout Workspace
  ) throws(JobFailure) -> TokenWindows {
    let tokenizer = try workspace.models.tokenizer()
    let length = workspace.windowLength(length)
    do throws(InferenceError) {
      return try TokenWindows(
        tokens, length: length, limit: tokenLimit.map { max($0 / max(length, 1), 1) },
        beginToken: tokenizer.textBegin,
        contextLength: workspace.contextLength)
    } catch .emptyInput {
      throw JobFailure(sentence: "\(path): the text is too short for a window")
    } catch {
      throw JobFailure(error)
    }
  }
}
