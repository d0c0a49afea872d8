import Glibc
import Tensors
import JSON

/// Reads how positions turn queries and keys: one rotation, or a second one for blocks with a window.
struct RopeReader {
  private let settings: ModelSettings
  private let architecture: Architecture
  private let tensors: TensorTable

  init(_ settings: ModelSettings, architecture: Architecture, tensors: TensorTable) {
    self.settings = settings
    self.architecture = architecture
    self.tensors = tensors
  }

  /// - Parameters:
  ///   - headSize: Values of a head.
  ///   - localHeadSize: Those of a head in a block with a window; nil for as many.
  /// - Returns: The rotation, and that of blocks with a window where it is another.
  /// - Throws: ``CheckpointError`` for settings that make no rotation, or none that Vise knows.
  func ropes(headSize: Int, localHeadSize: Int? = nil) throws(CheckpointError) -> [RopeFacts] {
    let ropes = try stated(headSize: headSize, localHeadSize: localHeadSize ?? headSize)
    for rope in ropes {
      let divisors = rope.divisors + (rope.long?.divisors ?? [])
      guard rope.amplitude.isFinite, divisors.allSatisfy({ $0.isFinite && $0 > 0 }) else {
        throw settings.error("the settings of RoPE's scaling give frequencies that are no numbers")
      }
    }
    return ropes
  }

  private func stated(
    headSize: Int, localHeadSize: Int
  ) throws(CheckpointError) -> [RopeFacts] {
    if let config = settings.config {
      return try ropes(config, headSize: headSize, localHeadSize: localHeadSize)
    }
    let rope = try ggufRope(headSize: headSize)
    guard architecture.hasLocalRope else { return [rope] }
    let localTheta = SettingKey(gguf: "rope.freq_base_swa")
    let theta = try settings.number(localTheta, standard: 10_000)
    var rotated = rope.rotatedSize
    if architecture.hasGlobalHeads {
      rotated = try settings.size(
        SettingKey(gguf: "rope.dimension_count_swa"), standard: localHeadSize)
      guard rotated <= localHeadSize, rotated % 2 == 0 else {
        throw settings.error(
          "rope.dimension_count_swa is \(rotated) for heads of \(localHeadSize)")
      }
    }
    return [rope, RopeFacts(pairing: rope.pairing, theta: theta, rotatedSize: rotated)]
  }

  // MARK: config.json

  private func ropes(
    _ config: JSONFile, headSize: Int, localHeadSize: Int
  ) throws(CheckpointError) -> [RopeFacts] {
    let sections = try RopeSections(config, splits: architecture.hasLocalRope)
    if architecture.needsRopeSection, sections.whole == nil {
      throw config.error("rope_parameters is missing")
    }
    guard architecture.hasLocalRope else {
      if let parameters = sections.parameters, sections.isByKind, sections.scaling == nil {
        throw parameters.error(
          "rope_parameters differ by kind of block, which \(architecture.name) does not know")
      }
      return [try rope(sections.whole, in: config, headSize: headSize)]
    }
    if let parameters = sections.parameters, !sections.isByKind {
      throw parameters.error(
        "rope_parameters says nothing of full_attention and sliding_attention apart")
    }
    var full = try sections.ofFullAttention()
    if architecture.hasGlobalHeads, full == nil {
      full = JSONFile(file: config.file, root: Self.globalStandard)
    }
    let global = try rope(full, in: config, headSize: headSize)
    guard let own = try sections.ofSlidingAttention() else {
      let theta = try config.number("rope_local_base_freq", standard: 10_000)
      return [
        global, RopeFacts(pairing: global.pairing, theta: theta, rotatedSize: localHeadSize),
      ]
    }
    return [
      global, try rope(own, in: config, headSize: localHeadSize, thetaKey: "rope_local_base_freq"),
    ]
  }

  /// How Gemma 4 turns where its config.json does not say it.
  private static let globalStandard = JSONObject(
    members: [
      JSONObject.Member(name: "rope_type", value: "proportional"),
      JSONObject.Member(name: "rope_theta", value: .integer(1_000_000)),
      JSONObject.Member(name: "partial_rotary_factor", value: JSONValue(0.25)),
    ])

  private func rope(
    _ section: JSONFile?, in config: JSONFile, headSize: Int, thetaKey: String = "rope_theta"
  ) throws(CheckpointError) -> RopeFacts {
    func number(
      _ key: String, elsewhere: String, standard: Double
    ) throws(CheckpointError) -> Double {
      if let section, section.value(key) != nil { return try section.number(key) }
      return try settings.number(SettingKey(elsewhere, gguf: nil), standard: standard)
    }
    let theta = try number("rope_theta", elsewhere: thetaKey, standard: 10_000)
    let stretches = try section.map { section throws(CheckpointError) in try kind(of: section) }
    if let section, stretches == "proportional" {
      return RopeFacts(pairing: architecture.pairing, theta: theta, rotatedSize: headSize)
        .stretched(by: .proportional(try proportional(section)))
    }
    var standard = 1.0
    if architecture.readsRotaryDim, config.value("rotary_dim") != nil {
      standard = Double(try config.size("rotary_dim")) / Double(headSize)
    }
    var share = try number(
      "partial_rotary_factor", elsewhere: "partial_rotary_factor", standard: standard)
    if !architecture.turnsPartially, share != 1 {
      // transformers' class reads it in rotations that are stretched, and then fails.
      guard stretches ?? "default" == "default" else {
        throw config.error(
          "partial_rotary_factor is \(share), and all values of \(architecture.name)'s heads turn")
      }
      share = 1
    }
    guard share <= 1 else { throw config.error("partial_rotary_factor is \(share), more than 1") }
    let rotated = Int(Double(headSize) * share)
    guard rotated > 0, rotated % 2 == 0 else {
      throw config.error(
        "partial_rotary_factor \(share) turns \(rotated) values of heads of \(headSize)")
    }
    var pairing = architecture.pairing
    if architecture.readsInterleaving, try config.flag("rope_interleave") == false {
      pairing = .halves
    }
    let rope = RopeFacts(pairing: pairing, theta: theta, rotatedSize: rotated)
    guard let section, let scaling = try scaling(section, in: config, rope) else { return rope }
    return rope.stretched(by: scaling)
  }

  /// The word for how a section stretches.
  private func kind(of section: JSONFile) throws(CheckpointError) -> String {
    let type = try section.text("rope_type")
    let oldType = try section.text("type")
    return type ?? oldType ?? "default"
  }

  private func scaling(
    _ section: JSONFile, in config: JSONFile, _ rope: RopeFacts
  ) throws(CheckpointError) -> RopeScaling? {
    /// What is beside the section counts more than what is in it; without both it is the whole context.
    func originalLength() throws(CheckpointError) -> Int {
      let key = "original_max_position_embeddings"
      let outer = SettingKey(key, gguf: nil)
      if settings.has(outer) {
        return try settings.size(outer, limit: BlueprintReader.contextLimit)
      }
      guard section.value(key) == nil else {
        return try section.size(key, limit: BlueprintReader.contextLimit)
      }
      return try settings.size(.contextLength, limit: BlueprintReader.contextLimit)
    }
    switch try kind(of: section) {
    case let word where architecture.longRopeWords.contains(word):
      return .long(try long(section, in: config, rope, originalLength: originalLength()))
    case "default", "mrope": return nil
    case "linear": return .linear(factor: try section.number("factor"))
    case "llama3":
      let rule = Llama3Scaling(
        factor: try section.number("factor"),
        lowFrequencyFactor: try section.number("low_freq_factor"),
        highFrequencyFactor: try section.number("high_freq_factor"),
        originalLength: try originalLength())
      guard rule.lowFrequencyFactor < rule.highFrequencyFactor else {
        throw section.error("low_freq_factor is not below high_freq_factor")
      }
      return .llama3(rule)
    case "yarn":
      return .yarn(try yarn(section, originalLength: originalLength()))
    case let other: throw unsupported(other)
    }
  }

  private func proportional(
    _ section: JSONFile
  ) throws(CheckpointError) -> ProportionalScaling {
    let rule = ProportionalScaling(
      share: try section.number("partial_rotary_factor", standard: 1),
      factor: try section.number("factor", standard: 1))
    guard rule.share <= 1 else {
      throw section.error("partial_rotary_factor is \(rule.share), more than 1")
    }
    return rule
  }

  private func yarn(
    _ section: JSONFile, originalLength: Int
  ) throws(CheckpointError) -> YarnScaling {
    let factor = try section.number("factor")
    var amplitude = YarnScaling.amplitude(factor: factor)
    if section.value("attention_factor") != nil {
      amplitude = try section.number("attention_factor")
    } else if section.value("mscale") != nil, section.value("mscale_all_dim") != nil {
      amplitude =
        YarnScaling.amplitude(factor: factor, weight: try section.number("mscale"))
        / YarnScaling.amplitude(factor: factor, weight: try section.number("mscale_all_dim"))
    }
    return YarnScaling(
      factor: factor, originalLength: originalLength,
      betaFast: try section.number("beta_fast", standard: 32),
      betaSlow: try section.number("beta_slow", standard: 1),
      truncates: try section.flag("truncate") ?? true, amplitude: amplitude)
  }

  private func long(
    _ section: JSONFile, in config: JSONFile, _ rope: RopeFacts, originalLength: Int
  ) throws(CheckpointError) -> LongScaling {
    func factors(_ key: String) throws(CheckpointError) -> [Double] {
      let values = section.root[key]?.array?.compactMap(\.double) ?? []
      guard values.count == rope.pairCount, values.allSatisfy({ $0 > 0 }) else {
        throw section.error("\(key) is no list of \(rope.pairCount) positive numbers")
      }
      return values
    }
    let length = try settings.size(.contextLength, limit: BlueprintReader.contextLimit)
    let factor = try section.number(
      "factor", standard: Double(length) / Double(originalLength))
    let amplitude =
      factor <= 1 ? 1 : (1 + log(factor) / log(Double(originalLength))).squareRoot()
    return LongScaling(
      short: try factors("short_factor"), long: try factors("long_factor"),
      originalLength: originalLength,
      amplitude: try section.number("attention_factor", standard: amplitude))
  }

  // MARK: GGUF

  private func ggufRope(headSize: Int) throws(CheckpointError) -> RopeFacts {
    let rotated = try settings.size(.rotatedSize, standard: headSize)
    guard rotated <= headSize, rotated % 2 == 0 else {
      throw settings.error("rope.dimension_count is \(rotated) for heads of \(headSize)")
    }
    let rope = RopeFacts(
      pairing: architecture.pairing, theta: try settings.number(.ropeTheta, standard: 10_000),
      rotatedSize: rotated)
    let scaling = try ggufScaling(rope)
    let listed = try divisors("rope_freqs.weight", count: rope.pairCount)
    var stretched = rope
    switch (listed, scaling) {
    case (nil, let scaling?): stretched = rope.stretched(by: scaling)
    case (let divisors?, nil):
      let rule = ProportionalScaling(explaining: divisors)
      stretched = rope.stretched(by: rule.map { .proportional($0) } ?? .listed(divisors))
    // llama.cpp divides by both.
    case (let divisors?, .linear(let factor)):
      stretched = rope.stretched(by: .listed(divisors.map { $0 * factor }))
    case (.some, .some):
      throw settings.error(
        "stretches RoPE twice: by rope_freqs.weight and by its rope.scaling.type")
    case (nil, nil): break
    }
    if stretched.amplitude == 1 {
      stretched.amplitude = try settings.number(.ropeAmplitude, standard: 1)
    }
    return stretched
  }

  private func ggufScaling(_ rope: RopeFacts) throws(CheckpointError) -> RopeScaling? {
    let prefix = "\(architecture.ggufName).rope.scaling."
    guard let header = settings.gguf else { return nil }
    let type = try header.text(prefix + "type")
    let factor = try factor(header, prefix)
    let length = try header.size(
      prefix + "original_context_length",
      standard: settings.size(.contextLength, limit: BlueprintReader.contextLimit),
      limit: BlueprintReader.contextLimit)
    if let short = try divisors("rope_factors_short.weight", count: rope.pairCount),
      let long = try divisors("rope_factors_long.weight", count: rope.pairCount)
    {
      // llama.cpp divides by a factor as well where one is given.
      return .long(
        LongScaling(
          short: short.map { $0 * factor }, long: long.map { $0 * factor }, originalLength: length,
          amplitude: try header.number(prefix + "attn_factor", standard: 1)))
    }
    switch type ?? (factor == 1 ? "none" : "linear") {
    case "none": return nil
    // llama.cpp takes a factor without a type for a linear one.
    case "linear": return factor == 1 ? nil : .linear(factor: factor)
    case "longrope": return factor == 1 ? nil : .linear(factor: factor)
    case "yarn":
      var amplitude = YarnScaling.amplitude(factor: factor)
      let weight = "\(prefix)yarn_log_multiplier"
      let readsRamp = architecture.hasYarnRampInGGUF
      if architecture.hasLatentAttention, header.value(weight) != nil {
        // llama.cpp takes both of DeepSeek's weights for one, and their amplitudes cancel.
        amplitude = 1
      } else if readsRamp, header.value(weight) != nil {
        amplitude /= YarnScaling.amplitude(factor: factor, weight: try header.number(weight))
      }
      return .yarn(
        YarnScaling(
          factor: factor, originalLength: length,
          betaFast: readsRamp ? try header.number(prefix + "yarn_beta_fast", standard: 32) : 32,
          betaSlow: readsRamp ? try header.number(prefix + "yarn_beta_slow", standard: 1) : 1,
          truncates: true,
          amplitude: amplitude * (try header.number(prefix + "attn_factor", standard: 1))))
    case let other: throw unsupported(other)
    }
  }

  /// The factor, or the inverse of what the oldest files call it.
  private func factor(_ header: GGUFHeader, _ prefix: String) throws(CheckpointError) -> Double {
    let old = "\(architecture.ggufName).rope.scale_linear"
    if header.value(prefix + "factor") == nil, header.value(old) != nil {
      return try header.number(old)
    }
    let factor = try header.value(prefix + "factor").map { value throws(CheckpointError) in
      value == .number(0) ? 1 : try header.number(prefix + "factor")
    }
    return factor ?? 1
  }

  /// The numbers in a tensor of divisors; nil if there is none.
  private func divisors(_ name: String, count: Int) throws(CheckpointError) -> [Double]? {
    guard let entry = tensors[name] else { return nil }
    guard entry.shape == [count], entry.type == .float32,
      let row = StoredMatrix(
        storage: tensors.storages[entry.file], offset: entry.offset, type: .float32, rows: 1,
        columns: count)
    else {
      throw CheckpointError(
        file: tensors.files[entry.file], tensor: name,
        reason: "is \(entry.shape) of \(entry.typeName), not [\(count)] of F32")
    }
    let values = row.decoded().values.map { Double($0) }
    guard values.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw CheckpointError(
        file: tensors.files[entry.file], tensor: name, reason: "has a factor that is not above zero"
      )
    }
    return values
  }

  private func unsupported(_ type: String) -> CheckpointError {
    settings.error(
      "has RoPE scaling of type \"\(type)\", which is not supported",
      hint: "linear, llama3, yarn, longrope and proportional run")
  }
}
