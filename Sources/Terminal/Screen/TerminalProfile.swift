import CNcurses
import Glibc

/// What the screen will do with a terminal: found out once, before anything is sent to it.
struct TerminalProfile {
  let family: TerminalFamily
  let colorDepth: ColorDepth
  let isUTF8: Bool
  /// The terminfo entries to try in turn; nil is the embedded one.
  let entries: [String?]

  /// - Throws: `TerminalError` if there is no terminal, or none on which text can be placed.
  init(device: TerminalDevice, options: TerminalOptions) throws(TerminalError) {
    guard isTerminal(device.input) else { throw .notATerminal("input") }
    guard isTerminal(device.output) else { throw .notATerminal("output") }
    guard let term = device.environment["TERM"], !term.isEmpty else { throw .termNotSet }
    let traits = cn_terminal_traits(term)
    guard !traits.is_known || traits.addresses_cursor else { throw .cannotPlaceCursor(term) }

    family = TerminalFamily(environment: device.environment, isKnown: traits.is_known)
    entries = family == .xterm ? [nil, term, "xterm-256color", "xterm"] : [term]
    colorDepth =
      options.colorDepth
      ?? .detected(
        environment: device.environment, terminalColors: traits.is_known ? Int(traits.colors) : nil)
    let isLocaleUTF8 = cn_use_locale()
    // The Linux console has glyphs for half of what a frame is made of.
    let isConsole = term == "linux" || term.hasPrefix("linux-")
    isUTF8 = !options.forcesASCII && (options.forcesUTF8 || isLocaleUTF8 && !isConsole)
  }

  /// What to send when the screen opens, besides what curses sends.
  var enteringModes: String { family == .basic ? "" : Mode.bracketedPaste.on }

  /// Undoes all modes, whether they are on or not.
  var leavingModes: String {
    family == .basic
      ? ""
      : Mode.synchronizedOutput.off + Mode.mouse.off + Mode.bracketedPaste.off
        + (family == .xterm ? KeyboardFlags.off : "")
  }
}

/// Modes of xterm and its imitators that curses knows nothing of.
///
/// Source: XTerm Control Sequences (ctlseqs), DECSET; the synchronized output proposal for 2026.
struct Mode {
  let numbers: [Int]

  var on: String { numbers.map { "\u{1B}[?\($0)h" }.joined() }
  var off: String { numbers.reversed().map { "\u{1B}[?\($0)l" }.joined() }

  static let bracketedPaste = Mode(numbers: [2004])
  /// Presses, releases and drags, with places as decimal numbers.
  static let mouse = Mode(numbers: [1000, 1002, 1006])
  static let synchronizedOutput = Mode(numbers: [2026])
}

/// Kitty's flag 1: keys that terminals otherwise send alike are told apart, such as Escape and the beginning of a sequence.
///
/// Terminals keep a stack of flags for the alternate screen of its own, so that nobody else's are touched.
/// Source: kitty, "Comprehensive keyboard handling in terminals".
enum KeyboardFlags {
  static let on = "\u{1B}[>1u"
  static let off = "\u{1B}[<u"
}

private func isTerminal(_ descriptor: Int32) -> Bool {
  isatty(descriptor) == 1
}
