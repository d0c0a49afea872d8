import JSON

/// Looks at every key of a config.json for what a blueprint does not say: what keeps a model from running, and what is to be noted.
struct ConfigReview {
  let architecture: Architecture
  /// The decoder's settings.
  let config: JSONFile

  /// - Throws: ``CheckpointError`` naming a setting that changes the computation and that this architecture does not know.
  func refuseOthers() throws(CheckpointError) {
    for name in config.root["architectures"]?.array?.compactMap(\.string) ?? [] {
      if let purpose = ConfigKeys.otherPurposes.first(where: name.hasSuffix) {
        throw config.error(
          "architectures says \(name), and only models \"ForCausalLM\" run: one \"\(purpose)\" does not say what comes next"
        )
      }
    }
    if try config.flag("is_causal") == false {
      throw config.error("is_causal is false, and only causal decoders run")
    }
    for key in ["use_bidirectional_attention", "is_encoder_decoder"] where isSet(key) {
      // Then tokens of images alone see later ones.
      if config.root[key] == "vision" { continue }
      throw config.error("\(key) is \(text(of: key)), and only causal decoders run")
    }
    let honoured = ConfigKeys.honoured(by: architecture)
    for member in config.root.members where !honoured.contains(member.name) {
      guard let neutral = ConfigKeys.computing[member.name], isSet(member.name),
        !neutral.contains(member.value.setting)
      else { continue }
      throw config.error(
        "\(member.name) is \(text(of: member.name)), which is not supported for \(architecture.name)"
      )
    }
    guard !architecture.readsLayerTypes, !architecture.hasOtherMixers,
      let types = config.root["layer_types"]?.array
    else {
      return
    }
    let known = ["full_attention", "sliding_attention"]
    if let other = types.first(where: { !known.contains($0.string ?? "") }) {
      throw config.error("layer_types has \(other.setting.text), which is not supported")
    }
  }

  /// What the file says and a model of this architecture does not do, or does otherwise than one may think: a sentence each.
  func notes() throws(CheckpointError) -> [String] {
    var notes = try RopeSections(config, splits: architecture.hasLocalRope).notes()
    if config.root["auto_map"]?.object?["AutoModelForCausalLM"] != nil {
      notes.append(
        "config.json names code of its own (auto_map), which is not run: the model computes as \(architecture.className) "
          + "of transformers does")
    }
    let known = ConfigKeys.honoured(by: architecture).union(ConfigKeys.harmless)
    let strangers = config.root.members.filter { member in
      guard !known.contains(member.name), isSet(member.name) else { return false }
      return ConfigKeys.computing[member.name] == nil
    }
    guard !strangers.isEmpty else { return notes }
    let list = strangers.map { "\($0.name) \(text(of: $0.name))" }.listed(limit: 6)
    return notes + [
      "config.json says \(list), which \(architecture.className) does not read: computed without"
    ]
  }

  /// Whether a key says something: neither null nor what is off or nothing.
  private func isSet(_ key: String) -> Bool {
    switch config.root[key] {
    case .none, .null, .bool(false), .integer(0): false
    case .number(let value, _): value != 0
    case .string(let text): !["", "none", "default"].contains(text)
    case .array(let values): !values.isEmpty
    case .object(let object): !object.members.isEmpty
    case .bool(true): true
    case .integer: true
    }
  }

  private func text(of key: String) -> String {
    switch config.root[key] {
    case .array: "a list"
    case .object: "a section"
    case let value: value?.setting.text ?? "null"
    }
  }
}
