/// What the mouse did.
public enum MouseAction: Hashable, Sendable {
  case press, release, drag, wheelUp, wheelDown
}

/// A button of the mouse.
public enum MouseButton: Hashable, Sendable {
  /// No button, or one the terminal does not name.
  case none
  case left, middle, right
}

/// One thing the mouse did, and where.
public struct MouseEvent: Hashable, Sendable {
  /// The cell under the pointer.
  public var point: Point
  public var action: MouseAction
  public var button: MouseButton
  public var modifiers: KeyModifiers

  public init(
    point: Point, action: MouseAction, button: MouseButton = .left, modifiers: KeyModifiers = []
  ) {
    self.point = point
    self.action = action
    self.button = button
    self.modifiers = modifiers
  }
}

/// Everything that can wake the loop of a terminal program.
public enum InputEvent: Hashable, Sendable {
  case key(KeyPress)
  /// Text pasted as a whole, with newlines as `\n` and without other controls except tabs.
  case paste(String)
  case mouse(MouseEvent)
  /// The terminal has this size now.
  case resize(Size)
  /// Somebody called `WakeHandle.wake()` since the last time.
  case wake
  /// The process is asked to end by SIGTERM, SIGHUP, SIGINT or SIGQUIT. The loop should end
  /// cleanly: a second such signal ends the process at once.
  case terminate(signal: Int32)
  /// The process ran on after it had been stopped; the screen is already set up again.
  case resumed
  /// The terminal has told whether its ground is a light one.
  case background(isLight: Bool)
  /// The terminal is gone: there will be no more input.
  case endOfInput
}
