import FoundationEssentials

/// What the processor of this machine is called.
enum ProcessorName {
  static var current: String {
    let file = FileManager.default.contents(atPath: "/proc/cpuinfo") ?? Data()
    let lines = String(decoding: file, as: UTF8.self).split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("model name") }),
      let colon = line.firstIndex(of: ":")
    else { return "this machine" }
    return String(line[line.index(after: colon)...].drop { $0 == " " })
  }
}
