/// How compressed-tensors stores a layer's codes; its names for the formats that are read.
package enum CodeFormat: String, Sendable, CaseIterable {
  /// Weights as they are.
  case dense
  /// Integers of 1 to 8 bits in 32-bit words.
  case packed = "pack-quantized"
  /// Integers or FP8, a byte each; the format says what becomes of activations.
  case integers = "int-quantized"
  case naive = "naive-quantized"
  case floats = "float-quantized"
  /// FP8 with scales that are powers of two.
  case mxfp8 = "mxfp8-quantized"
  /// FP4 (E2M1) with FP8 scales and one scale for all.
  case nvfp4 = "nvfp4-pack-quantized"
  /// FP4 with scales that are powers of two.
  case mxfp4 = "mxfp4-pack-quantized"

  /// Why another format is refused.
  static func refusal(of name: String) -> (reason: String, hint: String) {
    switch name {
    case "sparse-bitmask", "sparse-24-bitmask", "marlin-24":
      (
        "stores weights in the sparse format \(name), which compressed-tensors itself no longer reads",
        "export the model again, dense or quantized; its zeros then stay in place"
      )
    default:
      (
        "stores weights in the format \"\(name)\", which is not read",
        "this version reads \(allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
  }
}
