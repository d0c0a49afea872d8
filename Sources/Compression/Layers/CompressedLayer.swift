import Tensors

/// How a compressed layer's weights are held.
public enum LayerStorage: Sendable {
  /// Codes, scales and zero points.
  case packed(PackedMatrix)
  /// GGUF's blocks, byte for byte as a file has them, rows in the layer's order.
  case blocks(StoredMatrix)
  /// Small floats and their scales.
  case floats(FloatMatrix)
  /// All weights row by row as bits of the layer's 16-bit type, zeros included.
  case dense16([UInt16])
  /// As the checkpoint has them.
  case original(LayerWeights)
}

/// One layer under a scheme: what an export writes, and what the compressed model multiplies by.
public struct CompressedLayer: Sendable {
  public let shape: LayerShape
  public let scheme: Scheme
  public let storage: LayerStorage

  public init(shape: LayerShape, scheme: Scheme, storage: LayerStorage) {
    self.shape = shape
    self.scheme = scheme
    self.storage = storage
  }

  /// The weights of the rows in `range`, exactly as the compressed model has them.
  ///
  /// - Precondition: `range` lies within the layer's rows.
  public func decoded(rows range: Range<Int>) -> Matrix {
    switch storage {
    case .packed(let packed): return packed.decoded(rows: range)
    case .blocks(let matrix): return matrix.decoded(rows: range)
    case .floats(let matrix): return matrix.decoded(rows: range)
    case .original(let weights): return weights.decoded(rows: range)
    case .dense16(let bits):
      let part = bits[range.lowerBound * shape.columns..<range.upperBound * shape.columns]
      return Matrix(
        rows: range.count, columns: shape.columns, values: shape.storageType.widened(Array(part)))
    }
  }

  /// What the layer's slot in the running model holds: these very codes, scales and zeros.
  public var weights: LayerWeights {
    switch storage {
    case .packed(let packed): .packed(packed)
    case .blocks(let matrix): .stored(matrix)
    case .floats(let matrix): .floats(matrix)
    case .original(let weights): weights
    case .dense16(let bits):
      .dense(bits: bits, type: shape.storageType, rows: shape.rows, columns: shape.columns)
    }
  }

  /// Bytes that the stored parts take: in a compressed-tensors checkpoint, or in GGUF.
  public var storedBytes: Int {
    switch storage {
    case .packed(let packed):
      4 * packed.codes.count + 2 * packed.scales.count
        + 4 * (packed.packedZeroPoints()?.count ?? 0) + LayerSize.shapeBytes
    case .dense16(let bits): 2 * bits.count
    case .blocks(let matrix): matrix.byteCount
    case .floats(let matrix): matrix.byteCount
    case .original(let weights): weights.byteCount
    }
  }
}
