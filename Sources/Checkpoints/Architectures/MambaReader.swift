import JSON

/// Which blocks have a Mamba-2 in attention's place, and of what shape.
struct MambaReader {
  private let settings: ModelSettings
  private let hiddenSize: Int
  /// Of each block: true for Mamba-2.
  private let pattern: [Bool]

  /// Values of a head, or of a state, that kernels take.
  private static let sizeLimit = 1024

  /// nil for families without.
  init?(
    _ settings: ModelSettings, architecture: Architecture, hiddenSize: Int, blockCount: Int
  ) throws(CheckpointError) {
    guard architecture.hasMamba else { return nil }
    // The short convolution is followed by the same activation as the MLP's gate.
    if let name = try settings.text("hidden_act"), name != "silu", name != "swish" {
      throw settings.error("hidden_act is \(name); Mamba-2 runs with silu only")
    }
    if let limits = try settings.list("time_step_limit"), let least = limits.first {
      guard least == .integer(0) || least == .number(0), limits.dropFirst().allSatisfy(\.isInfinite)
      else { throw settings.error("time_step_limit bounds steps, which is not supported") }
    }
    self.settings = settings
    self.hiddenSize = hiddenSize
    if settings.gguf != nil {
      pattern =
        settings.blocksWithoutAttention(architecture)
        ?? Array(repeating: false, count: blockCount)
    } else {
      let types = try settings.pattern([
        "mamba": true, "linear_attention": true, "attention": false, "full_attention": false,
      ])
      pattern = types ?? Array(repeating: true, count: blockCount)
    }
  }

  /// nil for a block with attention.
  ///
  /// - Throws: ``CheckpointError`` for sizes that do not fit together.
  func facts(ofBlock block: Int) throws(CheckpointError) -> MambaFacts? {
    guard pattern.indices.contains(block) else {
      throw settings.error("the list of blocks with attention ends before block \(block)")
    }
    guard pattern[block] else { return nil }
    let heads = try settings.size(.mambaHeads)
    let groups = try settings.size(.mambaGroups)
    guard heads % groups == 0 else {
      throw settings.error("\(heads) heads cannot share \(groups) groups evenly")
    }
    let width =
      if settings.gguf == nil {
        try settings.size(SettingKey("mamba_expand", gguf: nil)) * hiddenSize
      } else {
        try settings.size(SettingKey(gguf: "ssm.inner_size"))
      }
    guard width % heads == 0, width / heads <= Self.sizeLimit else {
      throw settings.error("\(heads) heads cannot share \(width) channels of Mamba-2 evenly")
    }
    // It may be the word "auto", too.
    if let size = settings.config?.root["mamba_d_head"]?.integer, size != width / heads {
      throw settings.error("mamba_d_head is \(size) for \(heads) heads of \(width) channels")
    }
    return MambaFacts(
      headCount: heads, headSize: width / heads,
      stateSize: try settings.size(.mambaStateSize, limit: Self.sizeLimit), groupCount: groups,
      taps: try settings.size(.mambaTaps, limit: Self.sizeLimit))
  }
}

extension SettingValue {
  /// Whether it is no number: infinity, for which JSON has no word, is written as an object or a text.
  fileprivate var isInfinite: Bool {
    switch self {
    case .integer: false
    case .number(let number): number.isInfinite
    default: true
    }
  }
}
