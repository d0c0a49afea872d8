extension FloatMatrix {
  /// The same codes in ggml's blocks of 17 bytes: a scale, and 16 bytes of which each holds codes of columns i and i + 16.
  ///
  /// Both have exponents with a bias of 127 for scales. Source: `block_mxfp4` in ggml's `ggml-common.h`.
  /// - Precondition: the format is MXFP4.
  public var blocks: StoredMatrix {
    precondition(format == .mxfp4, "blocks of E2M1 and powers of two")
    let half = 16
    var bytes: [UInt8] = []
    bytes.reserveCapacity(scales.count * (half + 1))
    for (group, scale) in scales.enumerated() {
      let first = group * half
      func code(_ column: Int) -> UInt8 {
        let pair = codes[first + column / 2]
        return column % 2 == 0 ? pair & 0xf : pair >> 4
      }
      bytes.append(UInt8(truncatingIfNeeded: scale))
      for column in 0..<half { bytes.append(code(column) | code(column + half) << 4) }
    }
    return StoredMatrix(copying: bytes, type: .mxfp4, rows: rows, columns: columns)
  }
}
