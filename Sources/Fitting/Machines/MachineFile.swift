import Compression
import YAML

extension Machine {
  /// Reads a machine's file: every word of it is known, and every figure makes sense.
  ///
  /// - Parameters:
  ///   - yaml: the file's text.
  ///   - file: its path, for messages.
  ///   - id: what the machine is called by.
  /// - Throws: ``FileError`` that names the line.
  package init(yaml: String, file: String, id: String) throws(FileError) {
    let root = try SettingsNode(yaml: yaml, file: file)
    var values: [Key: SettingsNode] = [:]
    for (key, value) in try root.pairs("a machine") {
      let word = try key.text("a key")
      guard let known = Key(rawValue: word) else {
        let all = Key.allCases.map(\.rawValue).joined(separator: ", ")
        throw key.error("\"\(word)\" is none of \(all)")
      }
      values[known] = value
    }
    func needed(_ key: Key) throws(FileError) -> SettingsNode {
      guard let node = values[key] else {
        throw FileError(file: file, line: 1, "\(key.rawValue) is missing")
      }
      return node
    }
    let kindNode = try needed(.kind)
    guard let kind = Kind(rawValue: try kindNode.text("kind")), kind != .this else {
      throw kindNode.error("kind is one of gpu, laptop, board, server")
    }
    self.init(
      id: id, name: try needed(.name).text("name"), kind: kind,
      memory: try needed(.memory).bytes("memory"),
      bandwidth: try needed(.bandwidth).rate("bandwidth", unit: "B", example: "1008 GB/s"),
      arithmetic: try needed(.arithmetic).rate("arithmetic", unit: "FLOP", example: "165 TFLOP/s"))
    if let node = values[.reserved] { reserved = try node.bytes("reserved") }
    guard reserved < memory else {
      throw try needed(.reserved).error("all of the memory is reserved")
    }
    if let node = values[.reached] { reached = try node.shares() }
    if let node = values[.block] {
      secondsABlock = try node.number("block", in: 0...1e6, unit: "us") / 1e6
    }
    if let node = values[.watts] { watts = try node.number("watts", in: 0.1...100_000) }
    if let node = values[.price] { price = try node.number("price", in: 0...10_000) }
    for source in try needed(.sources).list() {
      let text = try source.text("a source")
      guard text.hasPrefix("https://") || text.hasPrefix("http://") || text.hasPrefix("measured")
      else {
        throw source.error("a source is an address, or says what was measured: \"measured ...\"")
      }
      sources.append(text)
    }
  }

  /// The words of a machine's file.
  private enum Key: String, CaseIterable {
    case name, kind, memory, reserved, bandwidth, arithmetic, reached, block, watts, price, sources
  }
}

extension SettingsNode {
  fileprivate func bytes(_ name: String) throws(FileError) -> Int {
    guard let bytes = SizeText.bytes(try text(name)) else {
      throw error("\(name) is bytes, such as 24 GiB")
    }
    return bytes
  }

  /// A number of units a second, with a decimal prefix.
  fileprivate func rate(
    _ name: String, unit: String, example: String
  ) throws(FileError) -> Double {
    let word = try text(name).filter { !$0.isWhitespace }
    let prefixes: [(String, Double)] = [("M", 1e6), ("G", 1e9), ("T", 1e12), ("P", 1e15)]
    for (prefix, factor) in prefixes {
      let end = "\(prefix)\(unit)/s"
      guard word.hasSuffix(end) else { continue }
      guard let number = SizeText.number(word.dropLast(end.count)) else { break }
      return number * factor
    }
    throw error("\(name) is a rate such as \(example)")
  }

  fileprivate func number(
    _ name: String, in range: ClosedRange<Double>, unit: String = ""
  ) throws(FileError) -> Double {
    var word = try text(name).filter { !$0.isWhitespace }
    if !unit.isEmpty, word.hasSuffix(unit) { word.removeLast(unit.count) }
    guard let number = Double(word), range.contains(number) else {
      let units = unit.isEmpty ? "" : " \(unit)"
      throw error(
        "\(name) is a number of\(units) \(Self.plain(range.lowerBound)) to "
          + Self.plain(range.upperBound))
    }
    return number
  }

  fileprivate func shares() throws(FileError) -> Machine.Shares {
    var shares = Machine.Shares.assumed
    shares.areAssumed = false
    var cache: Double?
    for (key, value) in try pairs("reached") {
      switch try key.text("a key") {
      case "bandwidth": shares.bandwidth = try value.number("bandwidth", in: 0.01...1)
      case "arithmetic": shares.arithmetic = try value.number("arithmetic", in: 0.01...1)
      case "cache": cache = try value.number("cache", in: 0.01...1)
      case let other: throw key.error("\"\(other)\" is none of bandwidth, arithmetic, cache")
      }
    }
    shares.cache = cache ?? shares.bandwidth
    return shares
  }

  private static func plain(_ value: Double) -> String {
    value == value.rounded() ? String(Int(value)) : "\(value)"
  }
}
