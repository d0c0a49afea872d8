import Dispatch
import Glibc
import Synchronization
import Testing

@testable import Terminal

/// A terminal without a window: the test is the one who types and who sees what is sent.
final class PseudoTerminal {
  /// The end at which the test types.
  let keyboard: Keyboard
  private let line: Int32
  private let received: Received

  init(size: Size = Size(columns: 40, rows: 10)) throws {
    var (keyboard, line): (Int32, Int32) = (-1, -1)
    try #require(openpty(&keyboard, &line, nil, nil, nil) == 0)
    self.keyboard = Keyboard(descriptor: keyboard)
    self.line = line
    received = Received(descriptor: keyboard)
    _ = fcntl(keyboard, F_SETFL, O_NONBLOCK)
    resize(size)
    received.drain()
  }

  deinit {
    hangUp()
    close(line)
  }

  private var isHungUp = false

  /// Closes the far end, as when a window is closed.
  func hangUp() {
    guard !isHungUp else { return }
    isHungUp = true
    received.stop { close(keyboard.descriptor) }
  }

  func resize(_ size: Size) {
    var window = winsize(
      ws_row: UInt16(size.rows), ws_col: UInt16(size.columns), ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(keyboard.descriptor, UInt(TIOCSWINSZ), &window)
  }

  func type(_ text: String) {
    keyboard.type(text)
  }

  /// What has been sent to the terminal since the last time.
  func output() -> String {
    String(decoding: received.take(), as: UTF8.self)
  }

  var settings: termios {
    var settings = termios()
    tcgetattr(line, &settings)
    return settings
  }

  func device(_ environment: [String: String]) -> TerminalDevice {
    TerminalDevice(
      input: line, output: line, environment: environment, capturesStandardError: false)
  }

  /// A screen on this terminal, in a UTF-8 locale unless said otherwise.
  func open(
    _ term: String = "xterm-256color", _ environment: [String: String] = [:],
    options: TerminalOptions = TerminalOptions(forcesUTF8: true)
  ) throws(TerminalError) -> Screen {
    let environment = environment.merging(["TERM": term]) { $1 }
    return try Screen(options: options, device: device(environment))
  }
}

/// What a terminal has been sent: read as it comes, because a full line would block the writer.
private final class Received: Sendable {
  private struct State {
    var bytes: [UInt8] = []
    var isOpen = true
  }

  private let descriptor: Int32
  private let state = Mutex(State())

  init(descriptor: Int32) { self.descriptor = descriptor }

  func drain() {
    DispatchQueue.global().async { [self] in
      var isOpen = true
      while isOpen {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&request, 1, 10)
        isOpen = state.withLock { state in
          read(into: &state)
          return state.isOpen
        }
      }
    }
  }

  /// Everything sent until now, once.
  func take() -> [UInt8] {
    state.withLock { state in
      read(into: &state)
      defer { state.bytes = [] }
      return state.bytes
    }
  }

  func stop(_ close: () -> Void) {
    state.withLock { state in
      read(into: &state)
      state.isOpen = false
      close()
    }
  }

  private func read(into state: inout State) {
    guard state.isOpen else { return }
    while let more = readAvailable(descriptor), !more.isEmpty { state.bytes += more }
  }
}

/// Types from any thread.
struct Keyboard: Sendable {
  let descriptor: Int32

  func type(_ text: String) {
    let bytes = Array(text.utf8)
    #expect(write(descriptor, bytes, bytes.count) == bytes.count)
  }
}
