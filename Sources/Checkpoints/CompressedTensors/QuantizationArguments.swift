import JSON

/// How the weights of a group of layers are quantized: compressed-tensors' `QuantizationArgs`.
package struct QuantizationArguments: Hashable, Sendable {
  package let bits: Int
  package let isFloat: Bool
  package let isSymmetric: Bool
  package let sharing: ScaleSharing

  init(bits: Int, isFloat: Bool, isSymmetric: Bool, sharing: ScaleSharing) {
    self.bits = bits
    self.isFloat = isFloat
    self.isSymmetric = isSymmetric
    self.sharing = sharing
  }

  init(_ section: JSONFile) throws(CheckpointError) {
    bits = try section.size("num_bits", standard: 8, limit: 8)
    switch try section.text("type") ?? "int" {
    case "int": isFloat = false
    case "float": isFloat = true
    case let other: throw section.error("type is \"\(other)\", neither \"int\" nor \"float\"")
    }
    isSymmetric = try section.flag("symmetric") ?? true
    guard isSymmetric || !isFloat else {
      throw section.error("type is \"float\" with zero points, which no format stores")
    }
    sharing = try Self.sharing(section)
    try Self.checkOrder(section)
  }

  private static func sharing(_ section: JSONFile) throws(CheckpointError) -> ScaleSharing {
    // A group size of -1 says that a row is one group.
    let isChannel = section.value("group_size") == .integer(-1)
    let hasSize = section.value("group_size") != nil && !isChannel
    let inferred = hasSize ? "group" : isChannel ? "channel" : "tensor"
    switch try section.text("strategy") ?? inferred {
    case "tensor": return .tensor
    case "channel": return .channel
    case "group", "tensor_group":
      return isChannel ? .channel : .group(try section.size("group_size"))
    case "block": return try block(section)
    case let other: throw section.error("strategy is \"\(other)\", which is not read")
    }
  }

  private static func block(_ section: JSONFile) throws(CheckpointError) -> ScaleSharing {
    let value = section.root["block_structure"]
    let sizes =
      value?.array?.compactMap(\.integer)
      ?? value?.string?.split(separator: "x").compactMap { Int($0) } ?? []
    guard sizes.count == 2, sizes.allSatisfy({ (1...1 << 24).contains($0) }) else {
      throw section.error("block_structure is not two sizes")
    }
    return .block(rows: sizes[0], columns: sizes[1])
  }

  /// Refuses columns whose groups an index of their own tells.
  private static func checkOrder(_ section: JSONFile) throws(CheckpointError) {
    switch section.value("actorder") {
    case .none, .bool(false), .text("weight"), .text("static"): return
    default:
      throw section.error(
        "actorder sorts columns into groups by an index (weight_g_idx), which is not read",
        hint: "export the model again with actorder \"static\", which needs no index")
    }
  }
}
