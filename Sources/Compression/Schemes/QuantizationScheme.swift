import Tensors

/// How many weights of a row share one scale.
public enum GroupSize: Hashable, Sendable {
  /// One scale a row (output channel).
  case channel
  /// One scale for this many consecutive weights of a row: 16 to 256.
  case size(Int)

  /// Weights in a group of a row of `columns`.
  public func weights(inRowOf columns: Int) -> Int {
    switch self {
    case .channel: columns
    case .size(let size): size
    }
  }
}

/// How a weight's code is chosen.
public enum QuantizationMethod: String, Codable, Hashable, Sendable, CaseIterable {
  /// Round to nearest.
  case rtn
  /// Round to nearest, around a zero point found by half-quadratic splitting: needs no calibration.
  case hqq
  /// Column by column, so that later columns make up for the rounding of earlier ones.
  case gptq
  /// Round to nearest after input channels that matter were scaled up.
  case awq
}

/// How the range that a group's codes span is found.
public enum RangeSearch: String, Codable, Hashable, Sendable, CaseIterable {
  /// From the smallest to the largest weight.
  case minMax = "minmax"
  /// Scaled to where the squared error of the group is least.
  case mse
  /// Scaled to where the squared error, weighted by the inputs' second moments, is least.
  case weighted
}

/// Integer codes of 2 to 8 bits with a scale a group and, if asymmetric, an integer zero point; or small
/// floats with scales.
public struct QuantizationScheme: Codable, Hashable, Sendable {
  /// The widths that Vise quantizes to.
  public static let widths = 2...8

  /// Bits a code: 2 to 8.
  public private(set) var bits: Int
  public private(set) var group: GroupSize
  public private(set) var isSymmetric: Bool
  public var range: RangeSearch
  public var method: QuantizationMethod
  /// The GGUF block type whose codes and scales these are; it decides bits, group and symmetry.
  public private(set) var block: BlockType?
  /// The format of small floats that these are; it decides bits and groups.
  public private(set) var float: FloatFormat?

  public init(
    bits: Int, group: GroupSize = .size(64), isSymmetric: Bool = true,
    range: RangeSearch = .minMax, method: QuantizationMethod = .rtn
  ) {
    self.bits = bits
    self.group = group
    self.isSymmetric = isSymmetric
    self.range = range
    self.method = method
  }

  /// Codes and scales of one of GGUF's block types.
  public init(block: BlockType, range: RangeSearch = .mse, method: QuantizationMethod = .rtn) {
    self.init(
      bits: block.bits, group: .size(block.groupSize), isSymmetric: block.isSymmetric,
      range: range, method: method)
    self.block = block
  }

  /// Floats of 8 or 4 bits; `range` is nil for the extremes at 8 bits, and searched at 4.
  public init(float: FloatFormat, range: RangeSearch? = nil, method: QuantizationMethod = .rtn) {
    self.init(
      bits: float.bits, group: float.groupSize.map { .size($0) } ?? .channel,
      range: range ?? (float.bits == 8 ? .minMax : .mse), method: method)
    self.float = float
  }
}

extension QuantizationScheme {
  /// Whether width, group and symmetry are chosen one by one, and no type decides them.
  public var hasFreeGroups: Bool { block == nil && float == nil }

  /// The name of the type that decides them; nil if none does.
  public var typeName: String? { block?.rawValue ?? float?.rawValue }
}

extension GroupSize: Codable, CustomStringConvertible {
  /// A number, or `channel`, as plan files and the command line write it.
  public var description: String {
    switch self {
    case .channel: "channel"
    case .size(let size): String(size)
    }
  }

  /// Reads what ``description`` writes; nil for anything else.
  public init?(_ text: String) {
    if text == "channel" {
      self = .channel
    } else if let size = Int(text), size > 0 {
      self = .size(size)
    } else {
      return nil
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let group = GroupSize(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "a group is a number of weights or \"channel\"")
    }
    self = group
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
