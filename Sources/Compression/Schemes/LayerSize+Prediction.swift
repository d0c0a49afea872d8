import Tensors

extension LayerSize {
  /// Bytes of compressed-tensors' `weight_shape`: two 64-bit integers.
  static let shapeBytes = 16

  /// The bytes that a layer will take, from its shape alone.
  ///
  /// Quantized layers are counted as compressed-tensors 0.19 packs them (`pack-quantized`): a dense
  /// bitstream of codes a row, a 16-bit scale a group, zero points packed down each column of groups,
  /// and `weight_shape`, which counts as padding like the bits that fill last words; layers of a GGUF
  /// block type as its blocks, all of which but the codes counts as scales; small floats with their
  /// scales. Layers that are only pruned are stored as dense 16-bit weights, kept ones as they were.
  ///
  /// - Parameters:
  ///   - shape: the layer without its weights.
  ///   - scheme: one that ``Scheme/validated(for:)`` accepts.
  ///   - original: bytes of the layer in the checkpoint.
  /// - Returns: bytes part by part, which an export then takes exactly.
  public static func predicted(
    for shape: LayerShape, scheme: Scheme, original: Int
  ) -> LayerSize {
    let weights = shape.rows * shape.columns
    var size = LayerSize(
      original: original, codes: original, scales: 0, zeroPoints: 0, mask: 0, padding: 0,
      withBitmask: nil)
    var bitsPerSurvivor = 16
    if let block = scheme.quantization?.block {
      bitsPerSurvivor = block.bits
      let blocks = weights / block.blockSize
      size.codes = bytes(bits: weights * block.bits)
      size.scales = blocks * block.bytesPerBlock - size.codes
    } else if let float = scheme.quantization?.float {
      bitsPerSurvivor = float.bits
      size.codes = bytes(bits: weights * float.bits)
      size.scales = float.scaleBytes(rows: shape.rows, columns: shape.columns)
    } else if let quantization = scheme.quantization {
      let bits = quantization.bits
      let groups = shape.columns / quantization.group.weights(inRowOf: shape.columns)
      bitsPerSurvivor = bits
      size.codes = bytes(bits: weights * bits)
      size.padding = 4 * shape.rows * words(bits: shape.columns * bits) - size.codes + shapeBytes
      size.scales = 2 * shape.rows * groups
      if !quantization.isSymmetric {
        size.zeroPoints = bytes(bits: shape.rows * groups * bits)
        size.padding += 4 * groups * words(bits: shape.rows * bits) - size.zeroPoints
      }
    } else if scheme.sparsity != nil {
      size.codes = 2 * weights
    }
    if let pattern = scheme.sparsity?.pattern {
      let survivors = weights - pattern.zeros(rows: shape.rows, columns: shape.columns)
      size.withBitmask =
        bytes(bits: weights) + bytes(bits: survivors * bitsPerSurvivor) + size.scales
        + size.zeroPoints
    }
    return size
  }

  private static func bytes(bits: Int) -> Int { (bits + 7) / 8 }
  private static func words(bits: Int) -> Int { (bits + 31) / 32 }
}

extension SparsityPattern {
  /// How many weights of a layer the pattern zeroes: the whole part of its share, exactly.
  public func zeros(rows: Int, columns: Int) -> Int {
    switch self {
    case .unstructured(let ratio): Int(ratio * Double(rows * columns))
    case .structured(let kept, let of): rows * (columns / of) * (of - kept)
    }
  }
}
