/// The help over the screen: how far it is scrolled, and what it is searched for.
struct HelpPage: Hashable, Sendable {
  /// The first line that is shown.
  var top = 0
  /// Words that all stand in each entry that is shown; empty shows all.
  var editor = LineEditor()
  /// Whether letters go into ``editor``.
  var isTyping = false
}

extension AppState {
  /// Scrolls, searches, or leaves the help one step.
  mutating func changeHelp(_ page: HelpPage, _ change: (inout HelpPage) -> Void) {
    var page = page
    change(&page)
    page.top = HelpText(keys: keys, searching: page.editor.text, size: size).clamped(page.top)
    overlay = .help(page)
  }

  /// Leaves the search, or else the help.
  mutating func stepBack(in page: HelpPage) {
    guard page.isTyping || !page.editor.text.isEmpty else {
      overlay = nil
      return
    }
    changeHelp(page) { $0 = HelpPage() }
  }
}
