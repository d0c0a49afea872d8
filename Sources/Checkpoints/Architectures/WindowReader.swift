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
  /// Whether the last block sees all positions.
  private let endsWithoutWindow: Bool

  init(
    _ settings: ModelSettings, architecture: Architecture
  ) throws(CheckpointError) {
    self.settings = settings
    let isGGUF = settings.gguf != nil
    endsWithoutWindow = architecture.endsWithoutWindow && !isGGUF
    var rule = isGGUF ? architecture.ggufWindow ?? architecture.window : architecture.window
    if case .none = rule {
      // A window that llama.cpp or transformers does not look at.
      (self.rule, size, types, pattern) = (rule, nil, nil, nil)
      return
    }
    let isOn =
      try settings.flag("use_sliding_window", standard: isGGUF) || !architecture.switchesWindow
    size = isOn ? try settings.optionalSize(.window) : nil
    types = architecture.readsLayerTypes ? try settings.list("layer_types") : nil
    let patternKey = SettingKey(
      "sliding_window_pattern", "_sliding_window_pattern", gguf: "attention.sliding_window_pattern")
    pattern = types == nil ? try settings.flags(patternKey) : nil
    if case .allButEvery = rule, pattern == nil, let every = try settings.optionalSize(patternKey) {
      rule = .allButEvery(every)
    }
    self.rule = rule
  }

  /// Positions that queries of a block see, their own counted; nil for all.
  ///
  /// - Parameters:
  ///   - block: Its number.
  ///   - count: Of all blocks.
  ///   - turns: Whether positions turn its queries.
  /// - Returns: Tokens.
  /// - Throws: ``CheckpointError`` for settings that contradict each other.
  func window(ofBlock block: Int, of count: Int, turns: Bool = true) throws(CheckpointError) -> Int?
  {
    if endsWithoutWindow, block == count - 1 { return nil }
    if let types { return try window(ofBlock: block, of: count, by: types) }
    guard let size else { return nil }
    if let pattern {
      guard pattern.indices.contains(block) else {
        throw settings.error("the pattern of sliding windows is shorter than \(count) blocks")
      }
      return pattern[block] ? size : nil
    }
    switch rule {
    case .none: return nil
    case .all, .switchedForAll: return size
    case .allButEvery(let every): return (block + 1) % every == 0 ? nil : size
    case .switchedWithoutRope: return turns ? nil : size
    case .switched: return try firstOrLast() <= block ? size : nil
    case .switchedForEveryOther:
      let end = try firstOrLast()
      return block % 2 == 0 && block < end ? size : nil
    }
  }

  /// The block from which on, or up to which, there are windows.
  private func firstOrLast() throws(CheckpointError) -> Int {
    let key = SettingKey("max_window_layers", gguf: nil)
    return settings.has(key) ? try settings.optionalSize(key) ?? 0 : 28
  }

  private func window(
    ofBlock block: Int, of count: Int, by types: [SettingValue]
  ) throws(CheckpointError) -> Int? {
    guard types.count >= count else {
      throw settings.error("layer_types has \(types.count) entries for \(count) blocks")
    }
    switch types[block] {
    case .text("full_attention"): return nil
    case .text("sliding_attention"):
      guard let size else {
        throw settings.error(
          "layer_types has sliding_attention, but sliding_window and use_sliding_window give no window"
        )
      }
      return size
    case let other:
      throw settings.error("layer_types has \(other.text), which is not supported")
    }
  }
}
