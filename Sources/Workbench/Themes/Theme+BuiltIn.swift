import Terminal

extension Theme {
  /// What is left when no theme file is found: the same as `Themes/ansi.yaml` and `mono.yaml`.
  static let builtIn = [ansi, mono]

  /// The terminal's own sixteen colours on its own background.
  static let ansi = Theme(
    name: "ansi",
    styles: Dictionary(
      uniqueKeysWithValues: ThemeRole.allCases.map { role in
        (role, ThemeStyle(foreground: color(of: role), attributes: attributes[role] ?? []))
      }),
    heat: ["green", "yellow", "red"].compactMap(named))

  /// No colour at all.
  static let mono = Theme(
    name: "mono",
    styles: Dictionary(
      uniqueKeysWithValues: ThemeRole.allCases.map { role in
        (role, ThemeStyle(attributes: attributes[role] ?? []))
      }),
    heat: [])

  /// What sets roles off where colour does not.
  private static let attributes: [ThemeRole: Attributes] = [
    .dim: .dim, .strong: .bold, .focus: .bold, .brand: .bold, .key: .bold, .selection: .reverse,
    .selectionInactive: .underline, .mark: .bold, .budget: .bold, .warn: .bold, .error: .bold,
    .match: .underline,
    .parted: [.bold, .reverse], .diverged: .underline,
  ]

  private static func color(of role: ThemeRole) -> ThemeColor? {
    switch role {
    case .border, .popupBorder, .reference, .uniform: named("blue")
    case .focus, .brand, .key, .bits7, .bits8, .gauge, .frontier: named("cyan")
    case .mark, .warn, .match, .bits4, .compressed, .budget: named("yellow")
    case .ok, .bits5, .bits6, .served: named("green")
    case .error, .parted, .bits2: named("red")
    case .bits3, .diverged, .mix: named("magenta")
    default: nil
    }
  }

  private static func named(_ name: String) -> ThemeColor? {
    Color.ansiNames.firstIndex(of: name).map { ThemeColor(.ansi(UInt8($0))) }
  }
}
