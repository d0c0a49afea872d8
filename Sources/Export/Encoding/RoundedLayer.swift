import Checkpoints
import Compression
import Tensors

/// A layer that becomes bytes of its tensors while it is rounded, some rows at a time.
public struct RoundedLayer: Sendable {
  private enum Form: Sendable {
    case blocks(RowOrder)
    case packed(Packing)
  }

  /// What some rows of a layer add to each of its tensors; nil if they are not as its format has them.
  typealias Packing = @Sendable (PackedMatrix, _ rows: Range<Int>) -> [[UInt8]]?

  /// Zero points are packed down the rows: so many rows fill whole words of them.
  private static let rowsAWord = 32
  /// Weights that are worth being handed to a thread, and stay near it.
  private static let weightsAPart = 1 << 18

  let rounding: RowRounding
  private let form: Form
  /// The tensors that hold the layer.
  let tensors: [String]
  /// Rows of a part; those of the last one may be fewer.
  private let rowsAPart: Int

  init(_ rounding: RowRounding, as tensor: String, in order: RowOrder) {
    self.init(rounding, .blocks(order), [tensor])
  }

  init(_ rounding: RowRounding, as tensors: [String], packing: @escaping Packing) {
    self.init(rounding, .packed(packing), tensors)
  }

  private init(_ rounding: RowRounding, _ form: Form, _ tensors: [String]) {
    self.rounding = rounding
    self.form = form
    self.tensors = tensors
    rowsAPart =
      max(1, Self.weightsAPart / rounding.shape.columns / Self.rowsAWord) * Self.rowsAWord
  }

  /// The rows of the next part.
  func part(from row: Int) -> Range<Int> { row..<min(row + rowsAPart, rounding.shape.rows) }

  /// Rounds a part.
  ///
  /// - Parameters:
  ///   - part: its rows.
  ///   - buffer: memory that parts use one after the other.
  /// - Returns: the bytes that it adds to each of the tensors; nil if weights are no numbers before or after.
  func bytes(of part: Range<Int>, in buffer: inout [UInt8]) -> [[UInt8]]? {
    switch form {
    case .blocks(let order):
      return rounding.round(storedRows: part, in: order, into: &buffer) ? [buffer] : nil
    case .packed(let packing):
      return rounding.packed(rows: part).flatMap { packing($0, part) }
    }
  }
}
