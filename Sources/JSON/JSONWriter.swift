/// Writes JSON (RFC 8259) in UTF-8: members in their order, numbers as they were read.
package struct JSONWriter {
  private var bytes: [UInt8] = []
  /// Spaces a level; nil puts all in one line without any.
  private let indent: Int?

  private init(indent: Int?) {
    self.indent = indent
  }

  /// The text of a value, in one line or with its members and elements in lines of their own.
  package static func bytes(of value: JSONValue, indent: Int? = nil) -> [UInt8] {
    var writer = JSONWriter(indent: indent)
    writer.write(value, depth: 0)
    return writer.bytes
  }

  private mutating func write(_ value: JSONValue, depth: Int) {
    switch value {
    case .null: bytes += "null".utf8
    case .bool(let value): bytes += (value ? "true" : "false").utf8
    case .integer(let value): bytes += "\(value)".utf8
    case .number(_, let text): bytes += text.utf8
    case .string(let text): write(text)
    case .array(let values):
      writeList(of: values, between: ("[", "]"), depth: depth) { writer, value in
        writer.write(value, depth: depth + 1)
      }
    case .object(let object):
      writeList(of: object.members, between: ("{", "}"), depth: depth) { writer, member in
        writer.write(member.name)
        writer.bytes += (writer.indent == nil ? ":" : ": ").utf8
        writer.write(member.value, depth: depth + 1)
      }
    }
  }

  private mutating func writeList<Element>(
    of elements: [Element], between brackets: (Unicode.Scalar, Unicode.Scalar), depth: Int,
    writing write: (inout JSONWriter, Element) -> Void
  ) {
    bytes.append(UInt8(ascii: brackets.0))
    for (place, element) in elements.enumerated() {
      if place > 0 { bytes.append(UInt8(ascii: ",")) }
      breakLine(depth: depth + 1)
      write(&self, element)
    }
    if !elements.isEmpty { breakLine(depth: depth) }
    bytes.append(UInt8(ascii: brackets.1))
  }

  private mutating func breakLine(depth: Int) {
    guard let indent else { return }
    bytes.append(UInt8(ascii: "\n"))
    bytes += repeatElement(UInt8(ascii: " "), count: indent * depth)
  }

  private mutating func write(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): bytes += "\\\"".utf8
      case UInt8(ascii: "\\"): bytes += "\\\\".utf8
      case 0x0a: bytes += "\\n".utf8
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        bytes += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
