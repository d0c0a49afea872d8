import Tensors

/// Writes GGUF files field by field, wrong ones included.
struct GGUFBuilder {
  enum Value {
    case uint32(UInt32)
    case uint64(UInt64)
    case int32(Int32)
    case float32(Float)
    case bool(Bool)
    case string(String)
    case strings([String])
    /// A type number and the bytes that follow it.
    case raw(UInt32, [UInt8])

    fileprivate var bytes: [UInt8] {
      switch self {
      case .uint32(let value): little(UInt32(4)) + little(value)
      case .int32(let value): little(UInt32(5)) + little(value)
      case .float32(let value): little(UInt32(6)) + little(value.bitPattern)
      case .bool(let value): little(UInt32(7)) + [value ? 1 : 0]
      case .string(let text): little(UInt32(8)) + lengthAndText(text)
      case .strings(let texts):
        little(UInt32(9)) + little(UInt32(8)) + little(UInt64(texts.count))
          + texts.flatMap(lengthAndText)
      case .uint64(let value): little(UInt32(10)) + little(value)
      case .raw(let type, let bytes): little(type) + bytes
      }
    }
  }

  struct Tensor {
    var name: String
    /// Row length first, as the file has it.
    var dimensions: [UInt64]
    var type: UInt32 = 0
    var offset: UInt64
    /// What the file says, if not the number of `dimensions`.
    var dimensionCount: UInt32?
  }

  var magic: [UInt8] = Array("GGUF".utf8)
  var version: UInt32 = 3
  var metadata: [(key: String, value: Value)] = []
  var tensors: [Tensor] = []
  var tensorCount: UInt64?
  var metadataCount: UInt64?
  var alignment = 32
  var data: [UInt8] = []

  var bytes: [UInt8] {
    var bytes = magic + little(version)
    bytes += little(tensorCount ?? UInt64(tensors.count))
    bytes += little(metadataCount ?? UInt64(metadata.count))
    for (key, value) in metadata { bytes += lengthAndText(key) + value.bytes }
    for tensor in tensors {
      bytes += lengthAndText(tensor.name)
      bytes += little(tensor.dimensionCount ?? UInt32(tensor.dimensions.count))
      for dimension in tensor.dimensions { bytes += little(dimension) }
      bytes += little(tensor.type) + little(tensor.offset)
    }
    while bytes.count % alignment != 0 { bytes.append(0) }
    return bytes + data
  }

  /// Adds an F32 tensor of zeros behind the ones before.
  mutating func add(_ name: String, _ dimensions: [UInt64]) {
    while data.count % alignment != 0 { data.append(0) }
    tensors.append(Tensor(name: name, dimensions: dimensions, offset: UInt64(data.count)))
    data += Array(repeating: 0, count: Int(dimensions.reduce(4, *)))
  }

  /// Places all tensors one after the other again, as their types and dimensions ask for, with zeros for elements.
  mutating func placeTensors() {
    data = []
    for index in tensors.indices {
      while data.count % alignment != 0 { data.append(0) }
      tensors[index].offset = UInt64(data.count)
      let elements = Int(tensors[index].dimensions.reduce(1, *))
      let size = ElementType(number: tensors[index].type)?.byteCount(elements: elements) ?? 0
      data += Array(repeating: 0, count: size)
    }
  }

  /// The parts that `llama-gguf-split` would make: which tensors, by index, go into which.
  func split(into parts: [[Int]]) -> [GGUFBuilder] {
    parts.enumerated().map { number, indices in
      var part = GGUFBuilder()
      part.version = version
      if number == 0 { part.metadata = metadata }
      part.set("split.no", .raw(2, little(UInt16(number))))
      part.set("split.count", .raw(2, little(UInt16(parts.count))))
      part.set("split.tensors.count", .int32(Int32(tensors.count)))
      for index in indices {
        let (tensor, old) = (tensors[index], Int(tensors[index].offset))
        part.add(tensor.name, tensor.dimensions)
        let size = Int(tensor.dimensions.reduce(4, *))
        part.data.replaceSubrange((part.data.count - size)..., with: data[old..<old + size])
      }
      return part
    }
  }

  /// The smallest Llama model: one block, hidden size 4, two heads, three tokens.
  static func llama() -> GGUFBuilder {
    var builder = GGUFBuilder()
    builder.metadata = [
      ("general.architecture", .string("llama")), ("llama.embedding_length", .uint32(4)),
      ("llama.feed_forward_length", .uint32(8)), ("llama.block_count", .uint32(1)),
      ("llama.attention.head_count", .uint32(2)), ("llama.attention.head_count_kv", .uint32(1)),
      ("llama.context_length", .uint32(16)),
      ("llama.attention.layer_norm_rms_epsilon", .float32(1e-5)),
    ]
    builder.add("token_embd.weight", [4, 3])
    builder.add("output_norm.weight", [4])
    builder.add("blk.0.attn_norm.weight", [4])
    builder.add("blk.0.attn_q.weight", [4, 4])
    builder.add("blk.0.attn_k.weight", [4, 2])
    builder.add("blk.0.attn_v.weight", [4, 2])
    builder.add("blk.0.attn_output.weight", [4, 4])
    builder.add("blk.0.ffn_norm.weight", [4])
    builder.add("blk.0.ffn_gate.weight", [4, 8])
    builder.add("blk.0.ffn_up.weight", [4, 8])
    builder.add("blk.0.ffn_down.weight", [8, 4])
    return builder
  }

  mutating func set(_ key: String, _ value: Value?) {
    metadata.removeAll { $0.key == key }
    if let value { metadata.append((key, value)) }
  }
}

func little(_ value: some FixedWidthInteger) -> [UInt8] {
  (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}

private func lengthAndText(_ text: String) -> [UInt8] {
  little(UInt64(text.utf8.count)) + Array(text.utf8)
}
