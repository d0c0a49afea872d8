import Compression
import Procedures
import Tensors

extension LayerResult {
  /// Whether it is what `key` asks for.
  func isOf(_ key: LayerCache.Key) -> Bool {
    report.scheme == key.scheme && context == key.context
  }
}

/// Reports and compressed layers by layer and scheme, bounded in bytes: the least recently used go
/// first.
struct LayerCache {
  struct Key: Hashable {
    /// Place of the layer in the model.
    let layer: Int
    let scheme: Scheme
    /// What the result hangs on beside layer and scheme; 0 for nothing.
    ///
    /// That is the calibration, and for layers of the sweep over the blocks all that comes before them;
    /// for AWQ the schemes of the block's other AWQ layers too.
    var context = 0
  }

  private enum Value {
    case sampled(LayerReport)
    case exact(LayerResult)

    /// Bytes it takes, near enough.
    var bytes: Int {
      switch self {
      case .sampled(let report): report.byteCount
      case .exact(let result): result.report.byteCount + result.weights.byteCount
      }
    }
  }

  private struct Entry {
    var value: Value
    var lastUse: Int
  }

  /// Most bytes it keeps.
  let limit: Int
  /// Bytes of what it holds.
  private(set) var bytes = 0
  private var entries: [Key: Entry] = [:]
  private var clock = 0

  init(limit: Int) { self.limit = limit }

  /// The report sampled under `key`, or the exact one if there is one.
  mutating func report(for key: Key) -> LayerReport? {
    switch use(key) {
    case .sampled(let report): report
    case .exact(let result): result.report
    case nil: nil
    }
  }

  /// What compressing under `key` gave.
  mutating func result(for key: Key) -> LayerResult? {
    if case .exact(let result) = use(key) { result } else { nil }
  }

  /// Whether ``result(for:)`` has something; asking is no use of it.
  func hasResult(for key: Key) -> Bool {
    if case .exact = entries[key]?.value { true } else { false }
  }

  /// Keeps a sampled report, unless something exact is kept already.
  mutating func keep(_ report: LayerReport, for key: Key) {
    if case .exact = entries[key]?.value { return }
    store(.sampled(report), for: key)
  }

  /// Keeps what compressing gave.
  mutating func keep(_ result: LayerResult, for key: Key) {
    store(.exact(result), for: key)
  }

  private mutating func use(_ key: Key) -> Value? {
    clock += 1
    entries[key]?.lastUse = clock
    return entries[key]?.value
  }

  private mutating func store(_ value: Value, for key: Key) {
    clock += 1
    bytes += value.bytes - (entries[key]?.value.bytes ?? 0)
    entries[key] = Entry(value: value, lastUse: clock)
    guard bytes > limit else { return }
    // An eighth more than needed goes, so that not every new entry sorts the old ones.
    for (key, entry) in entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
      guard bytes > limit - limit / 8 else { break }
      bytes -= entry.value.bytes
      entries[key] = nil
    }
  }
}

extension LayerReport {
  /// Bytes that the report takes in memory, near enough.
  fileprivate var byteCount: Int {
    let bins = before.counts.count + after.counts.count + difference.counts.count
    return 512 + bins * MemoryLayout<Int>.stride
      + worstChannels.count * MemoryLayout<ChannelError>.stride
  }
}
