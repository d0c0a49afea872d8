import Tensors

/// A layer whose rows become codes one by one, from nothing but their own weights: rounded to nearest, with nothing pruned,
/// calibrated or rescaled.
///
/// The codes and scales are those that ``LayerCompressor`` finds; nothing is measured.
public struct RowRounding: Sendable {
  public let shape: LayerShape
  public let quantization: QuantizationScheme
  private let matrix: StoredMatrix
  private let fit: RangeFit

  /// Nil for a scheme that does not fit the layer or does more than this, and for layers that are no plain floats.
  ///
  /// - Parameters:
  ///   - scheme: what to do with the layer.
  ///   - weights: the layer as the checkpoint has it.
  ///   - shape: of the layer.
  public init?(_ scheme: Scheme, of weights: LayerWeights, shape: LayerShape) {
    guard case .stored(let matrix) = weights, let quantization = scheme.quantization,
      quantization.method == .rtn, quantization.range != .weighted, quantization.float == nil,
      scheme.sparsity == nil, scheme.calibrationNeed == .nothing,
      (try? scheme.check(matrix: weights, shape: shape, profile: nil)) != nil
    else { return nil }
    if let block = quantization.block {
      guard matrix.canBeRounded(to: block.elementType) else { return nil }
    }
    self.shape = shape
    self.quantization = quantization
    self.matrix = matrix
    fit = RangeFit(quantization.range)
  }

  /// Bytes of a row in the checkpoint.
  public var bytesPerRow: Int { matrix.bytesPerRow }

  /// Makes some rows in the scheme's type of blocks.
  ///
  /// - Parameters:
  ///   - range: which rows of the result.
  ///   - order: the order of all rows of the result.
  ///   - bytes: becomes their bytes; its memory is used again if it has as many.
  /// - Returns: false if the scheme has no blocks, or a weight is no number.
  public func round(
    storedRows range: Range<Int>, in order: RowOrder, into bytes: inout [UInt8]
  ) -> Bool {
    guard let block = quantization.block else { return false }
    return matrix.round(
      storedRows: range, in: order, to: block.elementType, fit: fit, into: &bytes)
  }

  /// Rows as packed integers; nil if the scheme has none, or weights before or after are no numbers.
  public func packed(rows: Range<Int>) -> PackedMatrix? {
    guard quantization.hasFreeGroups else { return nil }
    let weights = matrix.decoded(rows: rows)
    guard weights.firstNonFiniteRow == nil else { return nil }
    let grid = QuantizationGrid(
      fitting: weights, scheme: quantization, weights: nil, scaleType: shape.storageType)
    let most = Float(1 << quantization.bits)
    guard grid.scales.allSatisfy({ ($0 * most).isFinite }),
      case .packed(let packed) = grid.storage(of: grid.nearest(weights))
    else { return nil }
    return packed
  }
}
