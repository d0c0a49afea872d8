/// What a terminal answers when it is asked about itself.
///
/// Source: XTerm Control Sequences (ctlseqs), OSC 11 and DA1; kitty, "Comprehensive keyboard handling in terminals".
enum TerminalReply: Hashable {
  /// The colour of its ground, its parts from 0 to 1.
  case background(red: Double, green: Double, blue: Double)
  /// It knows kitty's flags for keys.
  case keyboardFlags
  /// What kind of terminal it is. All terminals tell that, in turn: what was asked before and is not answered by now will
  /// never be.
  case attributes

  /// Asks for all of it, attributes last.
  static let question = "\u{1B}]11;?\u{1B}\\\u{1B}[?u\u{1B}[c"

  /// The reply in an operating system command's text, such as `11;rgb:1d1d/2020/2121`; nil for others.
  init?(command text: ArraySlice<UInt8>) {
    let text = String(decoding: text, as: UTF8.self)
    guard let prefix = ["11;rgb:", "11;rgba:"].first(where: text.hasPrefix) else { return nil }
    let parts = text.dropFirst(prefix.count).split(
      separator: "/", omittingEmptySubsequences: false
    ).map { digits -> Double? in
      guard (1...4).contains(digits.count), let value = Int(digits, radix: 16), value >= 0
      else { return nil }
      return Double(value) / Double((1 << (4 * digits.count)) - 1)
    }
    guard parts.count >= 3, let red = parts[0], let green = parts[1], let blue = parts[2]
    else { return nil }
    self = .background(red: red, green: green, blue: blue)
  }

  /// The reply in a control sequence with `?` before its parameters; nil for others.
  init?(final: UInt8) {
    switch final {
    case UInt8(ascii: "u"): self = .keyboardFlags
    case UInt8(ascii: "c"): self = .attributes
    default: return nil
    }
  }

  /// Whether dark text is what a ground of this colour asks for.
  static func isLight(red: Double, green: Double, blue: Double) -> Bool {
    // The weights of Rec. 601: how bright a colour on a screen looks, near enough to tell two halves apart.
    0.299 * red + 0.587 * green + 0.114 * blue > 0.5
  }
}

/// The end of a reply that came so late that its beginning was given up; it must not be taken for keys.
struct LateReply {
  private let isCommand: Bool
  private var count = 0
  private var hasEscape = false

  /// Nil where `beginning` does not begin a reply.
  init?(after beginning: ArraySlice<UInt8>) {
    let bytes = Array(beginning.prefix(3))
    guard bytes.count == 3, bytes[0] == Byte.escape else { return nil }
    hasEscape = beginning.last == Byte.escape
    switch (bytes[1], bytes[2]) {
    case (UInt8(ascii: "]"), UInt8(ascii: "0")...UInt8(ascii: "9")): isCommand = true
    case (UInt8(ascii: "["), UInt8(ascii: "?")): isCommand = false
    default: return nil
    }
  }

  /// Whether `byte` belongs to the reply, and whether the reply goes on after it.
  mutating func take(_ byte: UInt8) -> (belongs: Bool, goesOn: Bool) {
    count += 1
    guard count <= Self.longest else { return (false, false) }
    if hasEscape { return (byte == UInt8(ascii: "\\"), false) }
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ";"): return (true, true)
    case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
      UInt8(ascii: "r"), UInt8(ascii: "g"), UInt8(ascii: ":"), UInt8(ascii: "/"):
      return isCommand ? (true, true) : (byte == UInt8(ascii: "c"), false)
    case UInt8(ascii: "u"): return (!isCommand, false)
    case Byte.bell: return (isCommand, false)
    case Byte.escape where isCommand:
      hasEscape = true
      return (true, true)
    default: return (false, false)
    }
  }

  private static let longest = 64
}
