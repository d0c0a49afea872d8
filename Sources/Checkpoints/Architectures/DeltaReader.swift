import Tensors

/// Which blocks have a recurrence in attention's place, and of what shape.
struct DeltaReader {
  private let settings: ModelSettings
  private let tensors: TensorTable
  private let rule: Architecture.DeltaRule
  /// The last layer's name in a block, in a Hugging Face checkpoint.
  private let outputName: (_ block: Int) -> String
  /// Of each block as far as it is said: true for a recurrence.
  private let pattern: [Bool]?
  private let interval: Int

  /// Values of a head that kernels take.
  private static let headLimit = 1024

  /// nil for families without.
  init?(
    _ settings: ModelSettings, architecture: Architecture, tensors: TensorTable, prefix: String
  ) throws(CheckpointError) {
    guard let rule = architecture.delta else { return nil }
    // The short convolution is followed by the same activation as the MLP's gate.
    if let name = try settings.text("hidden_act"), name != "silu", name != "swish" {
      throw settings.error("hidden_act is \(name); Gated DeltaNet runs with silu only")
    }
    self.settings = settings
    self.tensors = tensors
    self.rule = rule
    outputName = { "\(prefix)layers.\($0).\(architecture.name(of: .deltaOutput)).weight" }
    let types = try settings.pattern(["linear_attention": true, "full_attention": false])
    pattern =
      if let types { types } else {
        try settings.flags(SettingKey(gguf: "attention.recurrent_layers"))
      }
    interval = try settings.size(
      SettingKey("full_attention_interval", gguf: "full_attention_interval"), standard: 4)
  }

  /// nil for a block with attention.
  ///
  /// - Throws: ``CheckpointError`` for sizes that do not fit together.
  func facts(ofBlock block: Int) throws(CheckpointError) -> DeltaFacts? {
    if let pattern {
      guard pattern.indices.contains(block) else {
        throw settings.error("the list of blocks with attention ends before block \(block)")
      }
      guard pattern[block] else { return nil }
    } else if (block + 1) % interval == 0 {
      return nil
    }
    let keyHeads = try settings.size(.deltaKeyHeads)
    let valueHeads = try settings.size(.deltaValueHeads)
    guard valueHeads % keyHeads == 0 else {
      throw settings.error("\(valueHeads) value heads cannot share \(keyHeads) key heads evenly")
    }
    let keySize = try settings.size(.deltaKeySize, limit: Self.headLimit)
    let valueSize = try valueSize(heads: valueHeads)
    let isGGUF = settings.gguf != nil
    return DeltaFacts(
      keyHeadCount: keyHeads, valueHeadCount: valueHeads, keySize: keySize, valueSize: valueSize,
      taps: try settings.size(.deltaTaps, limit: Self.headLimit),
      isFused: rule.isFused && !isGGUF, fusesRates: rule.isFused,
      tilesOutput: rule.tilesHeads && valueHeads > keyHeads && (isGGUF || isPlain(block)))
  }

  private func valueSize(heads: Int) throws(CheckpointError) -> Int {
    guard settings.gguf != nil else {
      return try settings.size(.deltaValueSize, limit: Self.headLimit)
    }
    let width = try settings.size(SettingKey(gguf: "ssm.inner_size"))
    guard width % heads == 0, width / heads <= Self.headLimit else {
      throw settings.error("ssm.inner_size is \(width) for \(heads) value heads")
    }
    return width / heads
  }

  /// Whether the last layer's weights are numbers, which can be ordered anew when they are read: codes share scales.
  private func isPlain(_ block: Int) -> Bool {
    guard let type = tensors[outputName(block)]?.type else { return false }
    return type.isDecodable && !type.isQuantized
  }
}
