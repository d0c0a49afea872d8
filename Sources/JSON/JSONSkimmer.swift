/// Finds values in a JSON text without reading them.
///
/// What it steps over is checked no further than to find its end.
package struct JSONSkimmer {
  private let bytes: [UInt8]
  private var place: Int

  package init(_ bytes: [UInt8], at place: Int = 0) {
    self.bytes = bytes
    self.place = place
  }

  /// Where the values of an object's members are, by names without escapes; nil if the text is malformed.
  package mutating func members() -> [String: Range<Int>]? {
    var members: [String: Range<Int>] = [:]
    guard take("{") else { return nil }
    if take("}") { return members }
    repeat {
      skipSpace()
      let name = place
      guard skipString() else { return nil }
      let text = String(decoding: bytes[name + 1..<place - 1], as: UTF8.self)
      guard take(":") else { return nil }
      skipSpace()
      let start = place
      guard skipValue(), members.updateValue(start..<place, forKey: text) == nil else { return nil }
    } while take(",")
    return take("}") ? members : nil
  }

  @inline(__always)
  package static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
  }

  private mutating func skipSpace() {
    while place < bytes.count, Self.isSpace(bytes[place]) { place += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func skipString() -> Bool {
    guard place < bytes.count, bytes[place] == UInt8(ascii: "\"") else { return false }
    place += 1
    while place < bytes.count {
      let byte = bytes[place]
      place += byte == UInt8(ascii: "\\") ? 2 : 1
      if byte == UInt8(ascii: "\"") { return true }
    }
    return false
  }

  private mutating func skipValue() -> Bool {
    var depth = 0
    let start = place
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "\""):
        guard skipString() else { return false }
        if depth == 0 { return true }
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        place += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        // The bracket that ends the object which the value is in.
        if depth == 0 { return place > start }
        depth -= 1
        place += 1
        if depth == 0 { return true }
      case UInt8(ascii: ","):
        if depth == 0 { return place > start }
        place += 1
      default: place += 1
      }
    }
    return false
  }
}
