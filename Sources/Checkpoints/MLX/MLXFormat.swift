import JSON

/// Layers as MLX stores them: config.json's `quantization`.
struct MLXFormat: QuantizationFormat {
  /// What codes are.
  enum Mode: String, Sendable {
    /// Integers with a scale and a bias a group: weight = code * scale + bias.
    case affine
    /// Small floats in groups with a scale of 8 bits.
    case mxfp4, nvfp4, mxfp8
  }

  /// How a layer's codes are.
  struct Arguments: Hashable, Sendable {
    let mode: Mode
    let bits: Int
    /// Weights of a row that share a scale.
    let groupSize: Int
  }

  private let standard: Arguments
  /// Of layers that have arguments of their own, by name.
  private let own: [String: Arguments]
  let maker = "MLX"

  init(_ section: JSONFile) throws(CheckpointError) {
    standard = try Self.arguments(section)
    var own: [String: Arguments] = [:]
    for member in section.root.members {
      guard let object = member.value.object else { continue }
      own[member.name] = try Self.arguments(JSONFile(file: section.file, root: object))
    }
    self.own = own
  }

  /// Sizes that are not given are those of MLX's `quantize`.
  private static func arguments(_ section: JSONFile) throws(CheckpointError) -> Arguments {
    let name = try section.text("mode") ?? Mode.affine.rawValue
    guard let mode = Mode(rawValue: name) else {
      throw section.error(
        "stores MLX's codes in the mode \"\(name)\", which is not read",
        hint: "this version reads affine, mxfp4, nvfp4 and mxfp8")
    }
    let (bits, size) =
      switch mode {
      case .affine: (4, 64)
      case .mxfp4: (4, 32)
      case .nvfp4: (4, 16)
      case .mxfp8: (8, 32)
      }
    return Arguments(
      mode: mode, bits: try section.size("bits", standard: bits, limit: 8),
      groupSize: try section.size("group_size", standard: size))
  }

  func layer(
    _ name: String, isEmbedding: Bool, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) -> (any StoredLayer)? {
    guard table["\(name).scales"] != nil else { return nil }
    return try MLXLayer(name, own[name] ?? standard, shape: shape, in: table)
  }

  func layerNames(in table: TensorTable) -> [String] { table.prefixes(of: ".scales") }

  func notes(on layers: [LayerName]) -> [String] { [] }
}
