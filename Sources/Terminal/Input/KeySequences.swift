/// Which key a terminal means by the numbers and letters in its escape sequences.
enum KeySequences {
  /// `ESC [ number ~`, as on a VT220 and its heirs.
  static func key(number: Int) -> Key? {
    switch number {
    case 1, 7: .home
    case 2: .insert
    case 3: .delete
    case 4, 8: .end
    case 5: .pageUp
    case 6: .pageDown
    case 11...15: .function(number - 10)
    case 17...21: .function(number - 11)
    case 23...26: .function(number - 12)
    case 28...29: .function(number - 13)
    case 31...34: .function(number - 14)
    default: nil
    }
  }

  /// `ESC [ letter` and `ESC [ 1 ; modifiers letter`; lower case is rxvt with shift.
  static func key(letter: UInt8, _ modifiers: KeyModifiers) -> KeyPress? {
    switch letter {
    case UInt8(ascii: "Z"): KeyPress(.backTab, modifiers.subtracting(.shift))
    case UInt8(ascii: "a")...UInt8(ascii: "d"): arrow(letter - 0x20).map { KeyPress($0, .shift) }
    default: cursorKey(letter).map { KeyPress($0, modifiers) }
    }
  }

  /// `ESC O letter`: application mode, the keypad, or control with an arrow in rxvt.
  static func singleShift(_ letter: UInt8) -> KeyPress? {
    switch letter {
    case UInt8(ascii: "M"): KeyPress(.enter)
    case UInt8(ascii: "I"): KeyPress(.tab)
    case UInt8(ascii: "X"): KeyPress(.character("="))
    case UInt8(ascii: "a")...UInt8(ascii: "d"): arrow(letter - 0x20).map { KeyPress($0, .control) }
    case UInt8(ascii: "j")...UInt8(ascii: "y"):
      KeyPress(.character(Character(UnicodeScalar(letter - 0x40))))
    default: cursorKey(letter).map { KeyPress($0) }
    }
  }

  /// `ESC [ [ letter`: F1 to F5 of the Linux console.
  static func linuxConsole(_ letter: UInt8) -> KeyPress? {
    guard (UInt8(ascii: "A")...UInt8(ascii: "E")).contains(letter) else { return nil }
    return KeyPress(.function(Int(letter - UInt8(ascii: "A")) + 1))
  }

  /// A key that types the given scalar, in protocols that send its number.
  static func key(scalar value: Int) -> Key? {
    switch value {
    case 9: .tab
    case 13: .enter
    case 27: .escape
    case 8, 127: .backspace
    case 57_399...57_426: keypad(value - 57_399)
    default:
      UInt32(exactly: value).flatMap(Unicode.Scalar.init).flatMap { scalar in
        switch scalar.properties.generalCategory {
        case .control, .privateUse: nil  // keys without a character have private numbers
        default: .character(Character(scalar))
        }
      }
    }
  }

  /// The keys of the keypad in the order in which kitty numbers them.
  private static func keypad(_ place: Int) -> Key {
    let keys: [Key] =
      "0123456789./*-+".map(Key.character) + [
        .enter, .character("="), .character(","), .left, .right, .up, .down, .pageUp, .pageDown,
        .home, .end, .insert, .delete,
      ]
    return keys[place]
  }

  private static func cursorKey(_ letter: UInt8) -> Key? {
    switch letter {
    case UInt8(ascii: "H"): .home
    case UInt8(ascii: "F"): .end
    case UInt8(ascii: "P")...UInt8(ascii: "S"): .function(Int(letter - UInt8(ascii: "P")) + 1)
    default: arrow(letter)
    }
  }

  private static func arrow(_ letter: UInt8) -> Key? {
    switch letter {
    case UInt8(ascii: "A"): .up
    case UInt8(ascii: "B"): .down
    case UInt8(ascii: "C"): .right
    case UInt8(ascii: "D"): .left
    default: nil
    }
  }
}
