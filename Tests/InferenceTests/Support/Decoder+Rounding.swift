import Checkpoints
import Inference
import Tensors
import Testing

extension Decoder {
  /// The model with the weights of some blocks rounded to multiples of 1/32, which BF16 holds exactly up to 8.
  func rounding(blocks: Range<Int>) throws -> Decoder {
    var rounded = self
    for layer in description.layers where layer.block.map(blocks.contains) ?? false {
      let weights = try #require(self.weights(of: layer.name)).decoded()
      let bits = weights.values.map { value in
        let multiple = (value * 32).rounded(.toNearestOrEven) / 32
        return UInt16(truncatingIfNeeded: multiple.bitPattern >> 16)
      }
      try rounded.setLayer(
        layer.name,
        .dense(bits: bits, type: .bfloat16, rows: weights.rows, columns: weights.columns))
    }
    return rounded
  }
}
