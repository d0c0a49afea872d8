import Tensors
import JSON

/// What bitsandbytes writes of a layer of 4-bit codes, as JSON in a tensor of bytes.
struct BlockCodesState: Sendable {
  let rows: Int
  let columns: Int
  /// The type that weights were quantized from, and decode to.
  let type: ElementType
  /// Whether the codes are NF4's, and not FP4's.
  let isNormal: Bool
  /// Consecutive weights that share a magnitude.
  let blockSize: Int
  /// How magnitudes are quantized; nil if they are not.
  let nested: (blockSize: Int, offset: Float)?

  private static let limit = 1 << 16

  /// Reads the state of a layer's weights.
  init(_ parts: LayerParts) throws(CheckpointError) {
    let part = "quant_state.bitsandbytes__"
    isNormal = parts[part + "nf4"] != nil
    let state = part + (isNormal ? "nf4" : "fp4")
    let entry = try parts.required(state, ["U8"])
    guard entry.byteCount <= Self.limit else {
      throw parts.error(state, "is of \(entry.byteCount) bytes, more than \(Self.limit)")
    }
    let bytes = parts.elements(of: state, as: UInt8.self)
    let file = "\(parts.layer).weight.\(state)"
    let root = try JSONFile.object(
      in: ByteStorage(copying: bytes), 0..<bytes.count, of: file)
    let fields = JSONFile(file: file, root: root)
    let sizes = root["shape"]?.array?.compactMap(\.integer) ?? []
    guard sizes.count == 2, sizes.allSatisfy({ (1...1 << 24).contains($0) }) else {
      throw parts.error(state, "has no shape of two sizes")
    }
    (rows, columns) = (sizes[0], sizes[1])
    guard let type = ElementType(torch: try fields.text("dtype")) else {
      throw parts.error(state, "has a dtype that is not float16, bfloat16 or float32")
    }
    self.type = type
    blockSize = try fields.size("blocksize")
    guard parts["nested_absmax"] != nil else {
      nested = nil
      return
    }
    let offset =
      switch root["nested_offset"] {
      case .integer(let value): Double(value)
      case .number(let value, _): value
      default: throw parts.error(state, "has no nested_offset")
      }
    nested = (try fields.size("nested_blocksize"), Float(offset))
  }
}
