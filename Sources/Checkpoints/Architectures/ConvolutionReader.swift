/// Which blocks have a short convolution in attention's place, and of what shape.
struct ConvolutionReader {
  private let settings: ModelSettings
  private let hiddenSize: Int
  private let taps: Int
  /// Of each block: true for a convolution; nil where none has one.
  private let pattern: [Bool]?

  /// Most positions that are believed.
  private static let tapLimit = 1024

  /// nil for families without.
  ///
  /// - Throws: ``CheckpointError`` for settings that make no sense, or that are not honoured.
  init?(
    _ settings: ModelSettings, architecture: Architecture, hiddenSize: Int
  ) throws(CheckpointError) {
    guard architecture.hasConvolutions else { return nil }
    guard try !settings.flag("conv_bias") else {
      throw settings.error("conv_bias is true, which is not supported")
    }
    guard try settings.flag("use_expert_bias", standard: true) else {
      throw settings.error("use_expert_bias is false, which is not supported")
    }
    self.settings = settings
    self.hiddenSize = hiddenSize
    taps = try settings.size(
      SettingKey("conv_L_cache", gguf: "shortconv.l_cache"), limit: Self.tapLimit)
    if settings.gguf != nil {
      pattern = settings.blocksWithoutAttention(architecture)
    } else if let pattern = try settings.pattern(["conv": true, "full_attention": false]) {
      self.pattern = pattern
    } else {
      let attending = try settings.list("full_attn_idxs")
      let count = try settings.size(.blockCount, limit: BlueprintReader.blockLimit)
      pattern = attending.map { attending in
        (0..<count).map { !attending.contains(.integer($0)) }
      }
    }
  }

  /// nil for a block with attention.
  func facts(ofBlock block: Int) throws(CheckpointError) -> ConvolutionFacts? {
    guard let pattern else { return nil }
    guard pattern.indices.contains(block) else {
      throw settings.error("the list of blocks with attention ends before block \(block)")
    }
    return pattern[block] ? ConvolutionFacts(channels: hiddenSize, taps: taps) : nil
  }
}
