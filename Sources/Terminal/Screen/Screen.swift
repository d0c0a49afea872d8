import CNcurses

/// The terminal while a program draws on all of it.
///
/// There is one at a time, and the thread that opened it is the only one to use it. Whatever ends
/// the process, short of SIGKILL, gives the terminal back as it was.
public final class Screen {
  /// The size of the terminal; `.resize` events tell when it changes.
  public internal(set) var size: Size
  /// The colours that frames are fitted to.
  public let colorDepth: ColorDepth
  /// Whether frames may hold more than ASCII; where not, the nearest ASCII characters are shown.
  public let isUTF8: Bool
  /// Whether the terminal reports the mouse.
  public private(set) var reportsMouse = false

  let device: TerminalDevice
  let pipe: WakePipe
  var decoder: InputDecoder
  /// Events that came up outside of `nextEvents`.
  var postponed: [InputEvent] = []
  var hasInputEnded = false
  /// Until when answers of the terminal are awaited; nil when it has given all of them, or was not asked.
  var replyDeadline: ContinuousClock.Instant?
  /// Whether it tells keys apart that it otherwise sends alike.
  var hasKeyboardFlags = false
  /// Whether links of frames are given to the terminal.
  var showsLinks = false
  let profile: TerminalProfile
  private var painter: CellPainter
  private var shown: Frame?
  private var isOpen = true

  /// Takes over the terminal of the process.
  ///
  /// - Throws: `TerminalError` if there is none, or none that text can be placed on.
  public convenience init(options: TerminalOptions = TerminalOptions()) throws(TerminalError) {
    try self.init(options: options, device: .standard)
  }

  init(options: TerminalOptions, device: TerminalDevice) throws(TerminalError) {
    profile = try TerminalProfile(device: device, options: options)
    pipe = try WakePipe()
    decoder = InputDecoder(eraseByte: device.eraseByte)
    self.device = device
    size = device.size
    colorDepth = profile.colorDepth
    isUTF8 = profile.isUTF8
    painter = CellPainter(colorDepth: colorDepth, isUTF8: isUTF8)
    guard profile.entries.contains(where: { cn_open($0, device.input, device.output) }) else {
      throw .cannotOpen(device.environment["TERM"] ?? "")
    }
    cn_guard(pipe.writeEnd, profile.leavingModes)
    cn_resize(Int32(size.columns), Int32(size.rows))
    takeOver()
    setMouse(options.usesMouse)
    if options.asksTerminal { ask() }
  }

  deinit {
    close()
  }

  /// Gives the terminal back; nothing happens the second time.
  public func close() {
    guard isOpen else { return }
    isOpen = false
    dropReplies()
    device.send(profile.leavingModes)
    cn_close()
    cn_unguard()
    cn_release_stderr()
  }

  /// Whether no frame has been shown since the terminal's size changed, even if it has changed back.
  public var needsFrame: Bool { shown == nil }

  /// Wakes this screen's `nextEvents` from other threads.
  public var wakeHandle: WakeHandle { WakeHandle(pipe: pipe) }

  /// Shows a frame: sends the terminal what differs from the one before.
  ///
  /// A frame of another size than the terminal's is clipped, or filled up with blanks.
  public func present(_ frame: Frame) {
    guard isOpen, frame != shown else { return }
    let before = shown?.size == size && frame.size == size ? shown : nil
    for row in 0..<size.rows {
      for column in 0..<size.columns {
        let cell = frame[row, column]
        if let before, before[row, column] == cell { continue }
        painter.put(cell, row: row, column: column)
      }
    }
    shown = frame
    flush(links: linkSequences(of: frame, since: before))
  }

  /// What gives the terminal the links that it does not have yet, and takes those away that are gone.
  private func linkSequences(of frame: Frame, since before: Frame?) -> String {
    guard showsLinks, isUTF8 else { return "" }
    func isKept(_ link: Link) -> Bool {
      guard let before, before.links.contains(link) else { return false }
      return link.columns.allSatisfy { frame[link.row, $0] == before[link.row, $0] }
    }
    var text = ""
    for link in before?.links ?? [] where !frame.links.contains(link) {
      text += painter.sequence(for: link, address: "", in: frame)
    }
    for link in frame.links where !isKept(link) {
      text += painter.sequence(for: link, address: link.address, in: frame)
    }
    return text
  }

  /// Lets the terminal open what links of frames lead to, or no longer.
  public func setLinks(_ isOn: Bool) {
    guard isOpen, profile.family == .xterm, isOn != showsLinks else { return }
    showsLinks = isOn
    shown = nil
  }

  /// Paints everything anew, as when another program has written on the screen.
  public func redraw() {
    guard isOpen else { return }
    cn_repaint()
    flush(links: shown.map { linkSequences(of: $0, since: nil) } ?? "")
  }

  /// Turns reports of the mouse on or off; while they are off, the terminal selects text itself.
  public func setMouse(_ reports: Bool) {
    guard isOpen, profile.family != .basic else { return }
    reportsMouse = reports
    device.send(reports ? Mode.mouse.on : Mode.mouse.off)
  }

  /// Takes on the terminal's size; the next frame is painted in full.
  func adoptSize() -> Bool {
    let current = device.size
    guard current != size else { return false }
    size = current
    shown = nil
    cn_resize(Int32(size.columns), Int32(size.rows))
    cn_repaint()
    return true
  }

  /// Lets others write on the terminal until `takeBack`.
  func release() {
    dropReplies()
    device.send(profile.leavingModes)
    cn_leave()
    cn_release_stderr()
  }

  /// Sets everything up again and paints the last frame.
  func takeBack() {
    cn_enter()
    if adoptSize() { postponed.append(.resize(size)) }
    takeOver()
    if reportsMouse { device.send(Mode.mouse.on) }
    if hasKeyboardFlags { device.send(KeyboardFlags.on) }
  }

  private func takeOver() {
    if device.capturesStandardError { cn_capture_stderr() }
    flush()
    device.send(profile.enteringModes)
  }

  private func flush(links: String = "") {
    let cursor = shown?.cursor ?? Point(column: 0, row: 0)
    let isSynchronized = profile.family == .xterm
    if isSynchronized { device.send(Mode.synchronizedOutput.on) }
    cn_flush(
      Int32(min(max(0, cursor.row), size.rows - 1)),
      Int32(min(max(0, cursor.column), size.columns - 1)),
      shown?.cursor != nil && shown?.showsCursor == true)
    if !links.isEmpty { device.send(links) }
    if isSynchronized { device.send(Mode.synchronizedOutput.off) }
  }
}
