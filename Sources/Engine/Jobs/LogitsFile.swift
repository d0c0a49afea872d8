import Checkpoints
import Inference
import Tensors
import Work

/// A safetensors file of token ids and logits that grows token by token, and appears once it is complete.
final class LogitsFile {
  /// Bytes of all logits that are still sensible to ask for.
  private static let limit = 4 << 30

  private let layout: SafetensorsLayout
  private var file: OutputFile?

  /// Begins the file.
  ///
  /// - Parameters:
  ///   - path: where it appears in the end.
  ///   - tokens: their ids, as the model reads them.
  ///   - vocabulary: logits after each token.
  /// - Throws: ``JobFailure`` when nothing can be written there.
  init(path: String, tokens: [Int], vocabulary: Int) throws(JobFailure) {
    layout = SafetensorsLayout(
      metadata: ["format": "vise logits 1"],
      tensors: [
        SafetensorsLayout.Tensor(name: "token_ids", type: .int64, shape: [tokens.count]),
        SafetensorsLayout.Tensor(
          name: "logits", type: .float32, shape: [tokens.count, vocabulary]),
      ])
    do throws(StorageError) {
      let file = try OutputFile(path: path)
      // Wider elements come first: the ids follow the header, the logits the ids.
      try file.write(layout.header)
      try file.write(tokens.map(Int64.init).littleEndianBytes)
      self.file = consume file
    } catch {
      throw JobFailure(error)
    }
  }

  /// Of the whole file.
  var byteCount: Int { layout.byteCount }

  /// Checks how much is asked for, before any work.
  ///
  /// - Throws: ``JobFailure`` that says how many tokens are the most.
  static func check(tokens: Int, vocabulary: Int, context: Int) throws(JobFailure) {
    let most = min(context, max(limit / (MemoryLayout<Float>.size * vocabulary), 3))
    guard tokens > most else { return }
    let reason =
      most == context
      ? "the model reads at most \(context) tokens"
      : "logits of \(most) tokens take \(limit >> 30) GiB already"
    throw JobFailure(sentence: "\(reason); ask for \(most) or fewer (--tokens)")
  }

  /// Adds the logits after the next tokens, one row each.
  func append(_ rows: Matrix) throws(JobFailure) {
    do throws(StorageError) {
      try file?.write(rows.values.littleEndianBytes)
    } catch {
      throw JobFailure(error)
    }
  }

  /// Puts the complete file in its place.
  func finish() throws(JobFailure) {
    do throws(StorageError) {
      try file.take()?.commit()
    } catch {
      throw JobFailure(error)
    }
  }
}
