/// What a key stands for, whatever bytes the terminal sends for it.
public enum Key: Hashable, Sendable {
  /// A key that types something; upper case already includes the shift key.
  case character(Character)
  case enter, escape, tab, backTab, backspace, delete, insert
  case up, down, left, right, home, end, pageUp, pageDown
  /// F1 is `function(1)`.
  case function(Int)
}

/// Keys held down while another is pressed.
public struct KeyModifiers: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  public static let control = KeyModifiers(rawValue: 1 << 0)
  public static let alt = KeyModifiers(rawValue: 1 << 1)
  /// Reported for keys that type nothing, such as arrows.
  public static let shift = KeyModifiers(rawValue: 1 << 2)
}

/// A key together with its modifiers.
///
/// One key press has one value: shift with a character is that character in upper case, shift with
/// Tab is `backTab`, and control goes with the lower-case letter.
public struct KeyPress: Hashable, Sendable {
  public let key: Key
  public let modifiers: KeyModifiers

  /// A key press, brought into its one form.
  public init(_ key: Key, _ modifiers: KeyModifiers = []) {
    var modifiers = modifiers
    var key = key
    switch key {
    case .tab where modifiers.contains(.shift):
      key = .backTab
      modifiers.remove(.shift)
    case .character(let character) where modifiers.contains(.control):
      key = Self.single(character.lowercased()) ?? key
    case .character(let character) where modifiers.contains(.shift):
      key = Self.single(character.uppercased()) ?? key
      modifiers.remove(.shift)
    default: break
    }
    self.key = key
    self.modifiers = modifiers
  }

  private static func single(_ text: String) -> Key? {
    text.count == 1 ? text.first.map(Key.character) : nil
  }
}

extension KeyPress: CustomStringConvertible {
  /// The key as people write it: `q`, `ctrl-r`, `alt-x`, `S-Tab`, `space`, `F3`, `ctrl-Right`.
  public var description: String {
    var prefix = ""
    if modifiers.contains(.control) { prefix += "ctrl-" }
    if modifiers.contains(.alt) { prefix += "alt-" }
    if modifiers.contains(.shift) || key == .backTab { prefix += "S-" }
    return prefix + Self.name(of: key)
  }

  /// Reads what `description` writes, and the usual other spellings: `^d`, `C-d`, `M-x`,
  /// `shift-Up`, `Escape`, `PageDown`, in any case.
  public init?(parsing text: String) {
    var rest = Substring(text)
    var modifiers: KeyModifiers = []
    while rest.count > 1, let (length, modifier) = Self.leadingModifier(of: rest) {
      modifiers.insert(modifier)
      rest = rest.dropFirst(length)
    }
    guard let key = Self.key(named: rest) else { return nil }
    self.init(key, modifiers)
  }

  private static func leadingModifier(of text: Substring) -> (length: Int, KeyModifiers)? {
    if text.first == "^" { return (1, .control) }
    let lower = text.lowercased()
    for (prefix, modifier) in modifierPrefixes
    where lower.hasPrefix(prefix) && lower.count > prefix.count {
      return (prefix.count, modifier)
    }
    return nil
  }

  private static let modifierPrefixes: [(String, KeyModifiers)] = [
    ("ctrl-", .control), ("control-", .control), ("c-", .control), ("alt-", .alt), ("a-", .alt),
    ("meta-", .alt), ("m-", .alt), ("shift-", .shift), ("s-", .shift),
  ]

  private static func key(named name: Substring) -> Key? {
    if name.count == 1, let character = name.first { return .character(character) }
    let lower = name.lowercased()
    if lower.first == "f", let number = Int(lower.dropFirst()), (1...63).contains(number) {
      return .function(number)
    }
    return names.first { $0.spellings.contains { $0.lowercased() == lower } }?.key
  }

  private static func name(of key: Key) -> String {
    switch key {
    case .character(" "): "space"
    case .character(let character): String(character)
    case .function(let number): "F\(number)"
    case .backTab: "Tab"
    default: names.first { $0.key == key }?.spellings.first ?? ""
    }
  }

  /// The first spelling is the one we write.
  private static let names: [(key: Key, spellings: [String])] = [
    (.character(" "), ["space", "spc"]), (.enter, ["Enter", "Return", "CR"]),
    (.escape, ["Esc", "Escape"]), (.tab, ["Tab"]), (.backTab, ["BackTab", "BTab"]),
    (.backspace, ["Backspace", "BS"]), (.delete, ["Del", "Delete"]), (.insert, ["Ins", "Insert"]),
    (.up, ["Up"]), (.down, ["Down"]), (.left, ["Left"]), (.right, ["Right"]), (.home, ["Home"]),
    (.end, ["End"]), (.pageUp, ["PgUp", "PageUp"]), (.pageDown, ["PgDn", "PgDown", "PageDown"]),
  ]
}
