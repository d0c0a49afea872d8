/// What a terminal says about its mouse: a code made of button and flags, and a place from (1, 1).
struct MouseReport {
  let code: Int
  let column: Int
  let row: Int
  let isRelease: Bool

  /// The report as an event, or nil for what we have no use for, such as a third wheel direction.
  var event: InputEvent? {
    guard column >= 1, row >= 1 else { return nil }
    let point = Point(column: column - 1, row: row - 1)
    guard let (action, button) = actionAndButton else { return nil }
    return .mouse(
      MouseEvent(point: point, action: action, button: button, modifiers: modifiers))
  }

  /// The encoding without digits: three bytes, each 32 more than its value.
  static func original(_ bytes: [UInt8]) -> InputEvent? {
    guard bytes.count == 3, bytes.allSatisfy({ $0 >= 32 })
    else { return nil }
    let code = Int(bytes[0]) - 32
    return MouseReport(
      code: code, column: Int(bytes[1]) - 32, row: Int(bytes[2]) - 32,
      isRelease: code & Flag.wheel == 0 && code & 3 == 3
    ).event
  }

  private enum Flag {
    static let motion = 32
    static let wheel = 64
  }

  private var actionAndButton: (MouseAction, MouseButton)? {
    if code & Flag.wheel != 0 {
      switch code & 3 {
      case 0: return (.wheelUp, .none)
      case 1: return (.wheelDown, .none)
      default: return nil
      }
    }
    let button: MouseButton =
      switch code & 3 {
      case 0: .left
      case 1: .middle
      case 2: .right
      default: .none
      }
    if isRelease { return (.release, button) }
    if button == .none { return nil }
    return (code & Flag.motion != 0 ? .drag : .press, button)
  }

  private var modifiers: KeyModifiers {
    var modifiers: KeyModifiers = []
    if code & 4 != 0 { modifiers.insert(.shift) }
    if code & 8 != 0 { modifiers.insert(.alt) }
    if code & 16 != 0 { modifiers.insert(.control) }
    return modifiers
  }
}
