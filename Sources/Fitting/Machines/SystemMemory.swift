import FoundationEssentials

/// The memory and the processor of this machine, as Linux tells.
struct SystemMemory {
  /// Bytes that a process may use: of the machine, or of its control group if that has fewer.
  let total: Int
  /// Bytes of them that are free or can be made so.
  let available: Int
  /// The processor's name.
  let processor: String

  init() {
    let memory = Self.pairs(of: "/proc/meminfo")
    let machine = Self.kilobytes(memory["MemTotal"])
    let free = Self.kilobytes(memory["MemAvailable"])
    let limit = Self.text(of: "/sys/fs/cgroup/memory.max").flatMap { Int($0.filter(\.isNumber)) }
    let bounded = limit.map { min($0, machine) } ?? machine
    let used = Self.text(of: "/sys/fs/cgroup/memory.current").flatMap {
      limit == nil ? nil : Int($0.filter(\.isNumber))
    }
    total = bounded
    available = max(0, min(free, bounded - (used ?? 0)))
    processor = Self.pairs(of: "/proc/cpuinfo")["model name"] ?? "this machine"
  }

  /// The first value of each name in lines of `name: value`.
  private static func pairs(of path: String) -> [String: String] {
    var pairs: [String: String] = [:]
    for line in (text(of: path) ?? "").split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let name = String(parts[0].filter { $0 != "\t" })
      let value = String(parts[1].drop { $0 == " " })
      if pairs[name] == nil { pairs[name] = value }
    }
    return pairs
  }

  private static func kilobytes(_ text: String?) -> Int {
    (text.flatMap { Int($0.filter(\.isNumber)) } ?? 0) << 10
  }

  private static func text(of path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }
}
