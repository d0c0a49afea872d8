import Tensors

extension QuantizationConfig {
  /// Rows and columns of a layer, as its tensors make them.
  func storedShape(
    of name: String, _ format: ModuleFormat, in table: TensorTable
  ) throws(CheckpointError) -> [Int] {
    let parts = LayerParts(of: name, QuantizedLayer.partNames, in: table)
    let part = format.codesPart
    let codes = try parts.required(part, ["I32", "U8", "I8", "F8_E4M3"])
    guard codes.shape.count == 2 else { throw parts.error(part, "is no matrix") }
    let (rows, width) = (codes.shape[0], codes.shape[1])
    switch format.packing {
    case .nvfp4, .mxfp4: return [rows, width * 2]
    case .packed: break
    default: return [rows, width]
    }
    if let shape = try QuantizedLayer.storedShape(parts) {
      guard shape.allSatisfy({ (1...1 << 32).contains($0) }) else {
        throw parts.error("weight_shape", "holds \(shape), which is no matrix's shape")
      }
      return shape
    }
    if case .group(let size) = format.arguments.sharing {
      let scales = try parts.required("weight_scale", ["F16", "BF16", "F32"])
      return [rows, (scales.shape.last ?? 1) * size]
    }
    return [rows, width * 32 / format.arguments.bits]
  }
}
