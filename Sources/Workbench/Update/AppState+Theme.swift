import Terminal

extension AppState {
  /// What stands for the theme that suits the terminal's ground.
  static let automaticTheme = "auto"

  /// What can be chosen: the automatic theme, and each by its name.
  var themeChoices: [String] { [Self.automaticTheme] + themes.map(\.name) }

  /// The place of what is chosen in ``themeChoices``.
  var themePlace: Int { isThemeAutomatic ? 0 : themeIndex + 1 }

  var themeChoice: String { isThemeAutomatic ? Self.automaticTheme : theme.name }

  /// Shows the theme in a place of ``themeChoices``, or the nearest place.
  mutating func showTheme(at place: Int) {
    let place = max(0, min(place, themes.count))
    isThemeAutomatic = place == 0
    if place == 0 { useAutomaticTheme() } else { themeIndex = place - 1 }
  }

  /// Takes the theme that suits the terminal's ground, if none was chosen.
  mutating func useAutomaticTheme() {
    guard isThemeAutomatic else { return }
    let name = isGroundLight == true ? "light" : "dark"
    themeIndex = themes.firstIndex { $0.name == name } ?? 0
  }

  /// Takes on what the terminal says of its ground.
  mutating func take(groundIsLight isLight: Bool) {
    isGroundLight = isLight
    useAutomaticTheme()
  }

  mutating func useTheme(_ name: String) -> [Effect] {
    guard let place = themeChoices.firstIndex(of: name) else {
      refuse("No theme \"\(name)\"; there are \(themeChoices.joined(separator: ", "))")
      return []
    }
    showTheme(at: place)
    return []
  }

  mutating func pickTheme() -> [Effect] {
    overlay = .themes(selected: themePlace, before: themePlace)
    return []
  }

  /// Shows another theme of the list that is open.
  mutating func pickTheme(at place: Int, before: Int) {
    showTheme(at: place)
    overlay = .themes(selected: themePlace, before: before)
  }

  mutating func useNextTheme() {
    themeIndex = (themeIndex + 1) % themes.count
    isThemeAutomatic = false
    inform("Theme \(theme.name)")
  }

  /// Keeps the theme, which holds for every model, once it is chosen.
  mutating func keepTheme() -> [Effect] {
    if case .themes = overlay { return [] }
    guard themeChoice != keptTheme else { return [] }
    let isChosen = keptTheme != nil
    keptTheme = themeChoice
    if isChosen { hasChosenTheme = true }
    return isChosen ? [.keepChoice(.theme, themeChoice)] : []
  }

  /// Takes on what was chosen for all sessions, unless something else was chosen meanwhile.
  mutating func take(_ choices: KeptChoices) -> [Effect] {
    if let name = choices[.theme], !hasChosenTheme, let place = themeChoices.firstIndex(of: name) {
      if case .themes = overlay { return [] }
      showTheme(at: place)
      keptTheme = name
    }
    if let attention = choices[.notify].flatMap(Attention.init(rawValue:)) {
      self.attention = attention
    }
    guard let links = choices[.links], showsLinks != (links == "on") else { return [] }
    showsLinks = links == "on"
    return [.setLinks(showsLinks)]
  }
}
