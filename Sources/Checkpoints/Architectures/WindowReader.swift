/// Which blocks see only a window of the positions before them.
struct WindowReader {
  private let settings: ModelSettings
  private let rule: Architecture.WindowRule
  /// In tokens; nil where no block has one.
  private let size: Int?
  /// A word for each block, `full_attention` or another; nil where none is given.
  private let types: [SettingValue]?
  /// GGUF's pattern: true for a window; nil where none is given.
  private let pattern: [Bool]?

  init(
    _ settings: ModelSettings, architecture: Architecture
  ) throws(CheckpointError) {
    self.settings = settings
    let isGGUF = settings.gguf != nil
    size = try settings.optionalSize(.window)
    types = try settings.list("layer_types")
    var rule = isGGUF ? architecture.ggufWindow ?? architecture.window : architecture.window
    let patternKey = SettingKey(
      "sliding_window_pattern", "_sliding_window_pattern", gguf: "attention.sliding_window_pattern")
    pattern = try settings.flags(patternKey)
    if case .allButEvery = rule, pattern == nil, let every = try settings.optionalSize(patternKey) {
      rule = .allButEvery(every)
    }
    self.rule = rule
  }

  /// Positions that queries of a block see, their own counted; nil for all.
  func window(ofBlock block: Int, of count: Int) throws(CheckpointError) -> Int? {
    guard let size else { return nil }
    if let types {
      guard types.count >= count else {
        throw settings.error("layer_types has \(types.count) entries for \(count) blocks")
      }
      switch types[block] {
      case .text("full_attention"): return nil
      case .text("sliding_attention"): return size
      case let other:
        throw settings.error("layer_types has \(other.text), which is not supported")
      }
    }
    if let pattern {
      guard pattern.indices.contains(block) else {
        throw settings.error("the pattern of sliding windows is shorter than \(count) blocks")
      }
      return pattern[block] ? size : nil
    }
    switch rule {
    case .none: return nil
    case .all: return size
    case .allButEvery(let every): return (block + 1) % every == 0 ? nil : size
    case .switched:
      guard try settings.flag("use_sliding_window") else { return nil }
      let key = SettingKey("max_window_layers", gguf: nil)
      let first = settings.has(key) ? try settings.optionalSize(key) ?? 0 : 28
      return block >= first ? size : nil
    }
  }
}
