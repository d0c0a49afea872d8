import Glibc

/// Reads how queries, keys and values follow from latent rows.
struct LatentReader {
  private let settings: ModelSettings
  private let architecture: Architecture
  private let tensors: TensorTable

  /// nil for an architecture whose keys and values are projected.
  init?(_ settings: ModelSettings, _ architecture: Architecture, tensors: TensorTable) {
    guard architecture.hasLatentAttention else { return nil }
    self.settings = settings
    self.architecture = architecture
    self.tensors = tensors
  }

  /// The heads, the size of their keys, what scores are multiplied by, and the rows that all follow from.
  ///
  /// - Throws: ``CheckpointError`` for settings that are missing or make no sense.
  func facts() throws(CheckpointError) -> (
    headCount: Int, headSize: Int, scale: Float, facts: LatentFacts
  ) {
    let count = try settings.size(.headCount)
    let turned = try settings.size(.turnedKeySize)
    let headSize = try headSize(turned: turned)
    guard turned < headSize, turned % 2 == 0 else {
      throw settings.error("keys of \(headSize) values cannot turn by \(turned) of them")
    }
    if settings.gguf == nil, try settings.size(.keyHeadCount, standard: count) != count {
      throw settings.error(
        "num_key_value_heads is not num_attention_heads, which is not supported for \(architecture.name)"
      )
    }
    let facts = LatentFacts(
      queryRank: try settings.optionalSize(.queryRank), rank: try settings.size(.latentRank),
      turnedSize: turned, valueSize: try valueSize(),
      // The classes in transformers build these norms without the model's epsilon.
      normEpsilon: settings.gguf == nil ? 1e-6 : try settings.number(.rmsEpsilon),
      isSplit: tensors["blk.0.\(Part.latentKey.ggufName).weight"] != nil)
    return (count, headSize, try scale(headSize: headSize), facts)
  }

  private func headSize(turned: Int) throws(CheckpointError) -> Int {
    guard settings.gguf != nil else { return try settings.size(.ownKeySize) + turned }
    // Files that do not split keys from values have the sizes that heads have.
    return try settings.has(.latentKeySize)
      ? settings.size(.latentKeySize) : settings.size(.headSize)
  }

  private func valueSize() throws(CheckpointError) -> Int {
    if settings.gguf == nil || settings.has(.latentValueSize) {
      return try settings.size(.latentValueSize)
    }
    return try settings.size(SettingKey(gguf: "attention.value_length"))
  }

  /// YaRN makes scores of long contexts larger by the square of its amplitude of `mscale_all_dim`.
  private func scale(headSize: Int) throws(CheckpointError) -> Float {
    let plain = 1 / Double(headSize).squareRoot()
    let stretch: (factor: Double, weight: Double)?
    if let header = settings.gguf {
      let prefix = "\(architecture.ggufName).rope.scaling."
      guard try header.text(prefix + "type") == "yarn" else { return Float(plain) }
      let weight = prefix + "yarn_log_multiplier"
      let factor = try header.number(prefix + "factor", standard: 1)
      // The converter writes a tenth of the weight here, and llama.cpp takes a missing one for 1.
      stretch =
        switch header.value(weight) {
        case nil: (factor, 1)
        case .number(0)?: (factor, 0)
        default: (factor, try header.number(weight) * 10)
        }
    } else {
      let section = try settings.config.flatMap { config throws(CheckpointError) in
        try RopeSections(config).whole
      }
      guard let section, section.value("mscale_all_dim") != nil,
        (try section.text(ofFirst: ["rope_type", "type"]) ?? "default") != "default"
      else { return Float(plain) }
      stretch = (try section.number("factor"), try section.number("mscale_all_dim"))
    }
    guard let stretch, stretch.weight != 0 else { return Float(plain) }
    let amplitude = YarnScaling.amplitude(factor: stretch.factor, weight: stretch.weight)
    return Float(plain * amplitude * amplitude)
  }
}
