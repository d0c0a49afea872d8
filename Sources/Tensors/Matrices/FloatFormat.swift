/// Formats of weights as floats of 8 or 4 bits with scales, by the names that plans have for them.
///
/// Codes are E4M3 or E2M1, and symmetric: a zero stays exactly that.
/// Source: OCP Microscaling Formats 1.0, and `quant_scheme.py` of compressed-tensors 0.20.
public enum FloatFormat: String, Codable, Hashable, Sendable, CaseIterable {
  /// E4M3 with a 16-bit scale a row.
  case fp8 = "FP8"
  /// E4M3 with a 16-bit scale for each 128 rows by 128 columns.
  case fp8Block = "FP8_BLOCK"
  /// E2M1 in groups of 16, whose scales are E4M3 and have one F32 divisor for the whole layer.
  case nvfp4 = "NVFP4"
  /// E2M1 in groups of 32, whose scales are powers of two.
  case mxfp4 = "MXFP4"

  /// Bits of a code: 8 or 4.
  public var bits: Int {
    switch self {
    case .fp8, .fp8Block: 8
    case .nvfp4, .mxfp4: 4
    }
  }

  /// Consecutive weights of a row that share a scale; nil for all.
  public var groupSize: Int? {
    switch self {
    case .fp8: nil
    case .fp8Block: 128
    case .nvfp4: 16
    case .mxfp4: 32
    }
  }

  /// Consecutive rows that share scales.
  public var rowsAScale: Int { self == .fp8Block ? 128 : 1 }

  /// Whether groups must fill rows: E2M1's do.
  public var needsWholeGroups: Bool { bits == 4 }

  /// The formats that rows of `columns` weights can have.
  public static func fitting(columns: Int) -> [FloatFormat] {
    allCases.filter { format in
      columns > 0 && (!format.needsWholeGroups || columns % (format.groupSize ?? 1) == 0)
    }
  }

  /// Scales of a row of `columns` weights.
  public func groups(inRowOf columns: Int) -> Int {
    let size = groupSize ?? columns
    return (columns + size - 1) / size
  }

  /// Bytes of a row's codes.
  public func codeBytes(inRowOf columns: Int) -> Int { columns * bits / 8 }

  /// Bytes of a layer's scales, and of the divisor that they have.
  public func scaleBytes(rows: Int, columns: Int) -> Int {
    let scales = (rows + rowsAScale - 1) / rowsAScale * groups(inRowOf: columns)
    switch self {
    case .fp8, .fp8Block: return 2 * scales
    case .nvfp4: return scales + 4
    case .mxfp4: return scales
    }
  }
}
