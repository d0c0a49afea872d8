import Compression
import Tensors

extension Scheme {
  /// Any scheme that a layer of this shape can have without calibration.
  public static func random(
    for shape: LayerShape, using random: inout SeededRandom, blocksOnly: Bool
  ) -> Scheme {
    while true {
      let scheme = Scheme(
        quantization: .random(for: shape, using: &random, blocksOnly: blocksOnly),
        sparsity: .random(using: &random))
      if (try? scheme.validated(for: shape)) != nil { return scheme }
    }
  }
}

extension QuantizationScheme {
  fileprivate static func random(
    for shape: LayerShape, using random: inout SeededRandom, blocksOnly: Bool
  ) -> QuantizationScheme? {
    let blocks = BlockType.fitting(columns: shape.columns)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return nil
    case 1 where !blocksOnly:
      let groups = GroupSize.validGroupSizes(columns: shape.columns).map(GroupSize.size)
      return QuantizationScheme(
        bits: Int.random(in: 2...8, using: &random),
        group: groups.randomElement(using: &random) ?? .channel,
        isSymmetric: Bool.random(using: &random),
        method: [.rtn, .hqq].randomElement(using: &random) ?? .rtn)
    default:
      return blocks.randomElement(using: &random).map {
        QuantizationScheme(
          block: $0, range: [.minMax, .mse].randomElement(using: &random) ?? .minMax)
      }
    }
  }
}

extension SparsityScheme {
  fileprivate static func random(using random: inout SeededRandom) -> SparsityScheme? {
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      SparsityScheme(pattern: .unstructured(ratio: Double.random(in: 0.1...0.9, using: &random)))
    case 1: SparsityScheme(pattern: .structured(kept: 2, of: 4))
    default: nil
    }
  }
}
