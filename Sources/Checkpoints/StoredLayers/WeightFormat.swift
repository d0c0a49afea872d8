import Tensors

/// Which weights of a layer share a scale.
public enum ScaleSharing: Codable, Hashable, Sendable {
  /// All of them.
  case tensor
  /// Those of a row, which is an output channel.
  case channel
  /// So many consecutive ones of a row.
  case group(Int)
  /// Those of a rectangle of the matrix.
  case block(rows: Int, columns: Int)
}

/// How quantized weights are stored, whichever files hold them; which method chose the codes nobody can know.
public enum WeightFormat: Codable, Hashable, Sendable {
  /// Integer codes, with zero points unless they are symmetric.
  case integer(bits: Int, sharing: ScaleSharing, isSymmetric: Bool)
  /// Floats of 8 bits, E4M3.
  case float8(ScaleSharing)
  /// The same in groups of 32 whose scales are powers of two.
  case mxfp8
  /// Floats of 4 bits, E2M1, in groups of 16 whose scales are FP8.
  case nvfp4
  /// The same in groups of 32 whose scales are powers of two.
  case mxfp4
  /// Codes of 4 bits for quantiles of a normal distribution, in blocks that run on from row to row.
  case nf4
  /// The same with bitsandbytes' own floats of 4 bits.
  case fp4
  /// One of GGUF's block types.
  case block(ElementType)

  /// A few characters: `4 bit g64 sym`, `FP8 channel`, `NVFP4`, `Q4_K`.
  public var summary: String {
    switch self {
    case .integer(let bits, let sharing, let isSymmetric):
      "\(bits) bit \(sharing) \(isSymmetric ? "sym" : "asym")"
    case .float8(let sharing): "FP8 \(sharing)"
    case .mxfp8: "MXFP8"
    case .nvfp4: "NVFP4"
    case .mxfp4: "MXFP4"
    case .nf4: "NF4"
    case .fp4: "FP4"
    case .block(let type): type.rawValue
    }
  }

  /// The type of the codes in four characters or little more: `INT4`, `FP8`, `Q4_K`.
  public var codeType: String {
    switch self {
    case .integer(let bits, _, _): "INT\(bits)"
    case .float8, .mxfp8: "FP8"
    case .nvfp4, .mxfp4, .fp4: "FP4"
    case .nf4: "NF4"
    case .block(let type): type.rawValue
    }
  }
}

extension WeightFormat {
  /// The format of small floats that Vise writes itself.
  init(_ format: FloatFormat) {
    self =
      switch format {
      case .fp8: .float8(.channel)
      case .fp8Block: .float8(.block(rows: format.rowsAScale, columns: 128))
      case .nvfp4: .nvfp4
      case .mxfp4: .mxfp4
      }
  }

  /// The same, the other way round; nil for all else.
  package var floats: FloatFormat? {
    FloatFormat.allCases.first { WeightFormat($0) == self }
  }
}

extension ScaleSharing {
  /// The sharing of `size` weights of a row of `columns`.
  init(groupSize size: Int, columns: Int) {
    self = size == columns ? .channel : .group(size)
  }
}

extension ScaleSharing: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tensor: "tensor"
    case .channel: "channel"
    case .group(let size): "g\(size)"
    case .block(let rows, let columns): "\(rows)x\(columns)"
    }
  }
}
