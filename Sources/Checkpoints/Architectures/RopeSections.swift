import JSON

/// Where config.json says how positions turn: `rope_parameters` since version 5 of transformers, `rope_scaling` before.
///
/// Where both say something, version 5 takes `rope_scaling` in the place of the other, and for models with rotations by kind of
/// block it lays it over the one of blocks without a window.
/// Source: `convert_rope_params_to_dict` in transformers' `modeling_rope_utils.py` and in its Gemma 3.
struct RopeSections {
  /// Nil where it is empty, too.
  let parameters: JSONFile?
  /// Nil where it is empty, too.
  let scaling: JSONFile?
  private let config: JSONFile
  /// Whether models of this kind have rotations by kind of block.
  private let splits: Bool

  init(_ config: JSONFile, splits: Bool = false) throws(CheckpointError) {
    self.config = config
    self.splits = splits
    parameters = try config.section("rope_parameters").flatMap {
      $0.root.members.isEmpty ? nil : $0
    }
    scaling = try config.section("rope_scaling").flatMap { $0.root.members.isEmpty ? nil : $0 }
  }

  /// Whether `rope_parameters` differ by kind of block.
  var isByKind: Bool {
    parameters.map { $0.root["full_attention"] != nil || $0.root["sliding_attention"] != nil }
      ?? false
  }

  /// That of models with one rotation.
  var whole: JSONFile? { scaling ?? parameters }

  /// That of blocks without a window.
  func ofFullAttention() throws(CheckpointError) -> JSONFile? {
    let own = try parameters?.section("full_attention")
    guard let scaling else { return own }
    var members = own?.root ?? JSONObject(members: [])
    // A type is there before: an old word for one does not take its place.
    if own == nil { members["rope_type"] = "default" }
    for member in scaling.root.members { members[member.name] = member.value }
    return JSONFile(file: scaling.file, root: members)
  }

  /// That of blocks with a window; nil where nothing is said of it.
  func ofSlidingAttention() throws(CheckpointError) -> JSONFile? {
    try parameters?.section("sliding_attention")
  }

  /// What is said twice and not alike: a sentence each on what counts.
  func notes() throws(CheckpointError) -> [String] {
    var notes: [String] = []
    let used = isByKind || splits ? try ofFullAttention() : whole
    if !isByKind, let scaling, let parameters, !Self.agree(scaling, parameters) {
      notes.append(
        "config.json says in rope_scaling another thing than in rope_parameters: rope_scaling counts, as in "
          + "transformers")
    }
    if let used {
      for key in ["rope_theta", "partial_rotary_factor"] {
        if let note = twice(key, inner: used, innerCounts: true) { notes.append(note) }
      }
      if let note = twice("original_max_position_embeddings", inner: used, innerCounts: false) {
        notes.append(note)
      }
      if let new = used.value("rope_type"), let old = used.value("type"), new != old {
        notes.append(
          "config.json gives RoPE two types: rope_type \(new.text) counts, and not type \(old.text), as in "
            + "transformers")
      }
    }
    return notes
  }

  private func twice(_ key: String, inner: JSONFile, innerCounts: Bool) -> String? {
    guard let inside = inner.value(key), let beside = config.value(key), !inside.isEqual(beside)
    else { return nil }
    let (counts, other) = innerCounts ? (inside, beside) : (beside, inside)
    return
      "config.json gives \(key) twice: \(counts.text) counts, and not \(other.text), as in transformers"
  }

  /// Whether two sections say the same, but for what only one of them says.
  private static func agree(_ first: JSONFile, _ second: JSONFile) -> Bool {
    let names = Set(first.root.members.map(\.name) + second.root.members.map(\.name))
    return names.subtracting(["type", "rope_type", "rope_theta"]).allSatisfy {
      first.root[$0] == second.root[$0]
    }
      && (first.value("rope_type") ?? first.value("type"))
        == (second.value("rope_type") ?? second.value("type"))
      && (first.value("rope_theta") == nil || second.value("rope_theta") == nil
        || first.value("rope_theta") == second.value("rope_theta"))
  }
}

extension SettingValue {
  /// Whether two values are the same number, or the same in other ways.
  func isEqual(_ other: SettingValue) -> Bool {
    if case .integer(let mine) = self, case .number(let its) = other { return Double(mine) == its }
    if case .number(let mine) = self, case .integer(let its) = other { return mine == Double(its) }
    return self == other
  }
}
