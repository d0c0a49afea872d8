import JSON

/// A model's settings, whichever format they are written in.
struct ModelSettings: Sendable {
  private enum Source {
    case config(JSONFile)
    case gguf(GGUFHeader, prefix: String)
  }

  private let source: Source
  /// What may be left out because the model's class in transformers, or llama.cpp, has it, by the first of a key's names.
  private let standards: [String: SettingValue]

  /// Settings of the decoder in config.json.
  ///
  /// A null counts as given: it takes a standard away.
  init(config: JSONFile, standards: [String: SettingValue]) {
    source = .config(config)
    self.standards = standards.filter { config.root[$0.key] == nil }
  }

  /// Settings of the architecture called `name` in GGUF metadata, with standards by keys without that name.
  init(gguf: GGUFHeader, name: String, standards: [String: SettingValue] = [:]) {
    source = .gguf(gguf, prefix: name + ".")
    self.standards = Dictionary(
      standards.map { ("\(name).\($0.key)", $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  /// config.json's decoder; nil for GGUF.
  var config: JSONFile? { if case .config(let config) = source { config } else { nil } }
  /// nil for config.json.
  var gguf: GGUFHeader? { if case .gguf(let header, _) = source { header } else { nil } }

  private var settings: any Settings {
    switch source {
    case .config(let config): StandardSettings(settings: config, standards: standards)
    case .gguf(let header, _): StandardSettings(settings: header, standards: standards)
    }
  }

  /// What the format calls a setting: the first of its names that is there, else the first; nil where it has none.
  func name(of key: SettingKey) -> String? {
    switch source {
    case .config(let config): key.config.first { config.value($0) != nil } ?? key.config.first
    case .gguf(_, let prefix): key.gguf.map { prefix + $0 }
    }
  }

  func has(_ key: SettingKey) -> Bool {
    name(of: key).map { settings.value($0) != nil } ?? false
  }

  func size(
    _ key: SettingKey, standard: Int? = nil, limit: Int = 1 << 24
  ) throws(CheckpointError) -> Int {
    guard let name = name(of: key) else { return try missing(key, standard) }
    return try settings.size(name, standard: standard, limit: limit)
  }

  /// A size of one block, where GGUF may have a list with one for each.
  func size(
    _ key: SettingKey, ofBlock block: Int, standard: Int? = nil
  ) throws(CheckpointError) -> Int {
    guard case .gguf(let header, _) = source, let name = name(of: key),
      let sizes = header.integers(name)
    else { return try size(key, standard: standard) }
    guard sizes.indices.contains(block), (1...1 << 24).contains(sizes[block]) else {
      throw error("\(name) has no size for block \(block)")
    }
    return sizes[block]
  }

  /// A size, or nil where it is not given, null or zero.
  func optionalSize(_ key: SettingKey) throws(CheckpointError) -> Int? {
    guard let name = name(of: key), let value = settings.value(name), value != .integer(0) else {
      return nil
    }
    return try settings.size(name)
  }

  func number(_ key: SettingKey, standard: Double? = nil) throws(CheckpointError) -> Double {
    guard let name = name(of: key) else { return try missing(key, standard) }
    return try settings.number(name, standard: standard)
  }

  /// A number, or nil where it is not given, null or zero.
  func optionalNumber(_ key: SettingKey) throws(CheckpointError) -> Double? {
    guard let name = name(of: key), let value = settings.value(name) else { return nil }
    if value == .integer(0) || value == .number(0) { return nil }
    return try settings.number(name)
  }

  /// A flag of config.json; `standard` where it is not given, and in GGUF.
  func flag(_ name: String, standard: Bool = false) throws(CheckpointError) -> Bool {
    guard case .config = source else { return standard }
    return try settings.flag(name) ?? standard
  }

  /// A text of config.json; nil where it is not given, and in GGUF.
  func text(_ name: String) throws(CheckpointError) -> String? {
    guard case .config = source else { return nil }
    return try settings.text(name)
  }

  /// The elements of a list in config.json, such as are single values; nil where it is not given, and in GGUF.
  func list(_ name: String) throws(CheckpointError) -> [SettingValue]? {
    guard case .config(let config) = source, let value = config.root[name], value != .null else {
      return nil
    }
    guard let elements = value.array else { throw config.error("\(name) is not a list") }
    return elements.map(\.setting)
  }

  /// config.json's `layer_types`, a word for each block, by what the words mean; nil where it is not given, and in GGUF.
  func pattern(_ words: [String: Bool]) throws(CheckpointError) -> [Bool]? {
    guard let types = try list("layer_types") else { return nil }
    return try types.map { type throws(CheckpointError) in
      guard case .text(let word) = type, let meaning = words[word] else {
        throw error("layer_types has \(type.text), which is not supported")
      }
      return meaning
    }
  }

  /// GGUF's list of heads of keys and values by block: a block that has none is one without attention; nil where there is no
  /// such list, and in config.json.
  func blocksWithoutAttention(_ architecture: Architecture) -> [Bool]? {
    gguf?.integers("\(architecture.ggufName).attention.head_count_kv")?.map { $0 == 0 }
  }

  /// A list of flags; nil where it is not given, or a single number.
  func flags(_ key: SettingKey) throws(CheckpointError) -> [Bool]? {
    guard let name = name(of: key) else { return nil }
    switch source {
    case .config(let config):
      guard let elements = config.root[name]?.array else { return nil }
      return elements.map { $0 != .integer(0) && $0 != .bool(false) }
    case .gguf(let header, _): return header.integers(name)?.map { $0 != 0 }
    }
  }

  func error(_ reason: String, hint: String? = nil) -> CheckpointError {
    settings.error(reason, hint: hint)
  }

  private func missing<Value>(
    _ key: SettingKey, _ standard: Value?
  ) throws(CheckpointError) -> Value {
    guard let standard else {
      throw error("\(key.config.first ?? key.gguf ?? "a setting") is missing")
    }
    return standard
  }
}

/// Settings with others where they say nothing.
private struct StandardSettings: Settings {
  let settings: any Settings
  let standards: [String: SettingValue]

  var file: String { settings.file }

  func value(_ key: String) -> SettingValue? { settings.value(key) ?? standards[key] }
}
