/// A control sequence as it arrives: `ESC [`, parameters, a final byte.
struct ControlSequence {
  let parameters: ArraySlice<UInt8>
  let final: UInt8

  /// What it says, or nothing for what nobody asked for.
  var meaning: SequenceParser.Meaning {
    switch parameters.first {
    case UInt8(ascii: "<"): return .init(mouse)
    case UInt8(ascii: "?"): return TerminalReply(final: final).map { .reply($0) } ?? .nothing
    case UInt8(ascii: ">"), UInt8(ascii: "="): return .nothing
    default: break
    }
    let numbers = numbers(parameters)
    if final == UInt8(ascii: "~"), numbers.first == 200 { return .pasteBegins }
    return .init(key(numbers))
  }

  /// The numbers between semicolons; those missing or absurd are 0, and subparameters are left out.
  private func numbers(_ bytes: ArraySlice<UInt8>) -> [Int] {
    bytes.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map { field in
      let digits = field.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      return digits.count <= 9 ? digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } : 0
    }
  }

  private var mouse: InputEvent? {
    let numbers = numbers(parameters.dropFirst())
    guard numbers.count == 3, final == UInt8(ascii: "M") || final == UInt8(ascii: "m")
    else { return nil }
    return MouseReport(
      code: numbers[0], column: numbers[1], row: numbers[2], isRelease: final == UInt8(ascii: "m")
    ).event
  }

  private func key(_ numbers: [Int]) -> KeyPress? {
    let first = numbers.first ?? 0
    let modifiers = numbers.count > 1 ? Self.modifiers(numbers[1]) : []
    switch final {
    case UInt8(ascii: "u"):
      // What terminals send as Escape where keys are not told apart.
      if first == Int(UInt8(ascii: "[")), modifiers == .control { return KeyPress(.escape) }
      return KeySequences.key(scalar: first).map { KeyPress($0, modifiers) }
    case UInt8(ascii: "~") where first == 27 && numbers.count == 3:
      return KeySequences.key(scalar: numbers[2]).map { KeyPress($0, modifiers) }
    case UInt8(ascii: "~"):
      return KeySequences.key(number: first).map { KeyPress($0, modifiers) }
    case UInt8(ascii: "^"):
      return KeySequences.key(number: first).map { KeyPress($0, .control) }
    case UInt8(ascii: "$"):
      return KeySequences.key(number: first).map { KeyPress($0, .shift) }
    case UInt8(ascii: "@"):
      return KeySequences.key(number: first).map { KeyPress($0, [.control, .shift]) }
    default:
      // The reply to a request for the cursor's place looks like F3, but for its row.
      guard final != UInt8(ascii: "R") || first <= 1 else { return nil }
      return KeySequences.key(letter: final, modifiers)
    }
  }

  /// xterm's parameter: 1 plus a bit for each of shift, alt, control and meta.
  private static func modifiers(_ parameter: Int) -> KeyModifiers {
    let bits = max(0, parameter - 1)
    var modifiers: KeyModifiers = []
    if bits & 1 != 0 { modifiers.insert(.shift) }
    if bits & 0b1010 != 0 { modifiers.insert(.alt) }
    if bits & 4 != 0 { modifiers.insert(.control) }
    return modifiers
  }
}
