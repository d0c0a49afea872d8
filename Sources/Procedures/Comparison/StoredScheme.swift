import Checkpoints
import Compression
import Tensors

/// The scheme by which Vise stores a layer as a quantized file has it, or comes nearest to that.
public struct StoredScheme: Hashable, Sendable {
  /// Codes are rounded to nearest, since nobody can tell from a file which method chose them.
  public let scheme: Scheme
  /// Whether Vise writes the very format; else the scheme is the one of the nearest size.
  public let isExact: Bool

  /// - Parameters:
  ///   - layer: The layer as the quantized file stores it.
  ///   - shape: The same layer of the original.
  public init(_ layer: LayerDescription, compressing shape: LayerShape) {
    guard let format = layer.scheme else {
      (scheme, isExact) = (.keep, true)
      return
    }
    if let same = Self.scheme(for: format, columns: shape.columns), Self.fits(same, shape) {
      (scheme, isExact) = (Scheme(quantization: same), true)
      return
    }
    // What an export counts twice or pads says nothing of the format.
    let sizes = Self.candidates(beside: format, columns: shape.columns)
      .filter { Self.fits($0, shape) }
      .map { candidate in
        let scheme = Scheme(quantization: candidate)
        let size = LayerSize.predicted(for: shape, scheme: scheme, original: layer.bytes)
        return (scheme: scheme, distance: abs(size.total - size.padding - layer.bytes))
      }
    scheme = sizes.min { $0.distance < $1.distance }?.scheme ?? .keep
    isExact = false
  }

  private static func fits(_ quantization: QuantizationScheme, _ shape: LayerShape) -> Bool {
    (try? Scheme(quantization: quantization).validated(for: shape)) != nil
  }

  /// The scheme whose codes and scales are those of the format; nil where Vise writes no such.
  private static func scheme(for format: WeightFormat, columns: Int) -> QuantizationScheme? {
    switch format {
    case .integer(let bits, .channel, let isSymmetric):
      return QuantizationScheme(bits: bits, group: .channel, isSymmetric: isSymmetric)
    case .integer(let bits, .group(let size), let isSymmetric):
      return QuantizationScheme(
        bits: bits, group: size == columns ? .channel : .size(size), isSymmetric: isSymmetric)
    case .block(let type):
      return BlockType(rawValue: type.rawValue).map { QuantizationScheme(block: $0) }
    case .float8, .nvfp4, .mxfp4:
      return format.floats.map { QuantizationScheme(float: $0) }
    case .integer, .mxfp8, .nf4, .fp4: return nil
    }
  }

  /// What the nearest scheme is looked for among: block types for block types, else integer codes.
  private static func candidates(
    beside format: WeightFormat, columns: Int
  ) -> [QuantizationScheme] {
    if case .block = format {
      return BlockType.fitting(columns: columns).map { QuantizationScheme(block: $0) }
    }
    let groups = GroupSize.validGroupSizes(columns: columns).map(GroupSize.size) + [.channel]
    return QuantizationScheme.widths.flatMap { bits in
      groups.map { QuantizationScheme(bits: bits, group: $0) }
    }
  }
}
