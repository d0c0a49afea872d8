/// What lies over the screen and has the keyboard until it is closed.
enum Overlay: Hashable, Sendable {
  /// All keys.
  case help(HelpPage)
  case palette(Palette)
  /// Themes to pick from; carries the theme to go back to.
  case themes(selected: Int, before: Int)
  case confirmation(Confirmation)
  case evaluation
  /// What ``AppState/export`` asks for.
  case export
}

/// Finds a command by a few of its letters.
struct Palette: Hashable, Sendable {
  var editor = LineEditor()
  var selected = 0
}

/// A question with an answer a key.
struct Confirmation: Hashable, Sendable {
  struct Choice: Hashable, Sendable {
    let key: Character
    let label: String
    let consequences: [Consequence]
  }

  /// What an answer leads to.
  enum Consequence: Hashable, Sendable {
    case writePlan(path: String, overwrites: Overwriting)
    /// Ends the program once the plan is written, or at once if it is.
    case quit
    case quitAfterWriting
    case open(path: String)
    /// Goes on with the session that was found.
    case goOn
    case beginAnew
  }

  let title: String
  let question: String
  let choices: [Choice]
  /// What Esc does instead.
  var escape = "stay"
}
