import JSON

extension QuantizationConfig {
  /// Modules of one format, named one by one.
  package struct Group: Hashable, Sendable {
    package let name: String
    package let format: ModuleFormat
    package let modules: [String]

    package init(name: String, format: ModuleFormat, modules: [String]) {
      self.name = name
      self.format = format
      self.modules = modules
    }
  }

  /// The first version of compressed-tensors that packs all widths densely; readers tell layouts apart by it.
  private static let writtenVersion = "0.19.0"

  /// The section of config.json that ``init(_:)`` reads.
  ///
  /// - Parameters:
  ///   - groups: by name, in which no module is twice.
  ///   - ignored: linear modules that are not quantized.
  /// - Returns: an object.
  package static func json(groups: [Group], ignored: [String]) -> JSONValue {
    let names = Set(groups.map(\.format.packing.rawValue))
    let format = names.count == 1 ? names.first : nil
    let members = groups.map { JSONObject.Member(name: $0.name, value: $0.json) }
    return [
      "config_groups": .object(JSONObject(members: members)),
      "format": .string(format ?? "mixed-precision"),
      "global_compression_ratio": .null,
      "ignore": .array(ignored.map { .string($0) }),
      "kv_cache_scheme": .null,
      "quant_method": "compressed-tensors",
      "quantization_status": "compressed",
      "sparsity_config": [:],
      "transform_config": [:],
      "version": .string(writtenVersion),
    ]
  }
}

extension QuantizationConfig.Group {
  fileprivate var json: JSONValue {
    [
      "format": .string(format.packing.rawValue),
      "input_activations": format.inputs,
      "output_activations": .null,
      "targets": .array(modules.map { .string($0) }),
      "weights": format.json,
    ]
  }
}

extension ModuleFormat {
  /// What becomes of a module's inputs: codes of whole bytes say that they are rounded too.
  fileprivate var inputs: JSONValue {
    guard packing == .integers else { return .null }
    return [
      "dynamic": true, "group_size": .null, "num_bits": 8, "strategy": "token", "symmetric": true,
      "type": "int",
    ]
  }

  /// The arguments as ``QuantizationArguments/init(_:)`` reads them, keys in their order.
  fileprivate var json: JSONValue {
    var members: [String: JSONValue] = [
      "dynamic": false, "num_bits": .integer(arguments.bits),
      "symmetric": .bool(arguments.isSymmetric),
      "type": .string(arguments.isFloat ? "float" : "int"),
    ]
    if !arguments.isFloat { members["group_size"] = .null }
    switch arguments.sharing {
    case .tensor: members["strategy"] = "tensor"
    case .channel: members["strategy"] = "channel"
    case .group(let size):
      members["strategy"] = packing == .nvfp4 ? "tensor_group" : "group"
      members["group_size"] = .integer(size)
    case .block(let rows, let columns):
      members["strategy"] = "block"
      members["block_structure"] = [.integer(rows), .integer(columns)]
    }
    switch packing {
    case .nvfp4: members["scale_dtype"] = "torch.float8_e4m3fn"
    case .mxfp4: members["scale_dtype"] = "torch.uint8"
    case .dense, .packed, .integers, .naive, .floats, .mxfp8: break
    }
    return .object(
      JSONObject(
        members: members.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: $0.value) }))
  }
}
