import Terminal
import YAML

/// What a theme file says, before names of colours are looked up.
///
/// Kept apart from ``Theme`` so that a theme which inherits can exchange single colours of a palette.
struct ThemeFile {
  let file: String
  private(set) var name = ""
  private(set) var parent: SettingsNode?
  private var palette: [String: SettingsNode] = [:]
  private var roles: [ThemeRole: SettingsNode] = [:]
  private var heat: SettingsNode?

  /// Reads a theme file and checks its words; colours are checked by ``theme()``.
  init(yaml: String, file: String) throws(FileError) {
    self.file = file
    let root = try SettingsNode(yaml: yaml, file: file)
    for (key, value) in try root.pairs("a theme") {
      switch try key.text("a key") {
      case "name": name = try value.text("name")
      case "inherits":
        _ = try value.text("inherits")
        parent = value
      case "palette":
        for (name, color) in try value.pairs("palette") {
          palette[try name.text("a colour's name")] = color
        }
      case "roles": try readRoles(value)
      case "heat": heat = value
      case let other:
        throw key.error("\"\(other)\" is none of name, inherits, palette, roles, heat")
      }
    }
    guard !name.isEmpty else { throw FileError(file: file, line: 1, "the theme has no name") }
  }

  private mutating func readRoles(_ node: SettingsNode) throws(FileError) {
    for (key, value) in try node.pairs("roles") {
      let name = try key.text("a role")
      guard let role = ThemeRole(rawValue: name) else {
        let known = ThemeRole.allCases.map(\.rawValue).joined(separator: ", ")
        throw key.error("unknown role \"\(name)\"; roles are \(known)")
      }
      roles[role] = value
    }
  }

  /// This theme on top of the one that it inherits.
  func inheriting(_ parent: ThemeFile) -> ThemeFile {
    var result = self
    result.palette.merge(parent.palette) { own, _ in own }
    result.roles.merge(parent.roles) { own, _ in own }
    result.heat = heat ?? parent.heat
    return result
  }

  /// Looks up all colours, and checks that no role is missing and all can be read.
  func theme() throws(FileError) -> Theme {
    var styles: [ThemeRole: ThemeStyle] = [:]
    for role in ThemeRole.allCases {
      guard let node = roles[role] else {
        throw FileError(file: file, "role \"\(role.rawValue)\" is missing")
      }
      styles[role] = try style(node)
    }
    var heatColors: [ThemeColor] = []
    for node in heat?.list() ?? [] { heatColors.append(try color(node)) }
    let theme = Theme(name: name, styles: styles, heat: heatColors)
    if let flaw = theme.contrastFlaws().first {
      guard let node = roles[flaw.role] else { throw FileError(file: file, flaw.reason) }
      throw node.error(flaw.reason)
    }
    return theme
  }

  /// A role's value: a colour, or a mapping of `fg`, `bg`, `attributes` and `plain`.
  private func style(_ node: SettingsNode) throws(FileError) -> ThemeStyle {
    guard node.isMapping else { return ThemeStyle(foreground: try color(node)) }
    var style = ThemeStyle()
    for (key, value) in try node.pairs("a role") {
      switch try key.text("a key") {
      case "fg": style.foreground = try color(value)
      case "bg": style.background = try color(value)
      case "attributes": style.attributes = try attributes(value)
      case "plain": style.plain = try attributes(value)
      case let other: throw key.error("\"\(other)\" is none of fg, bg, attributes, plain")
      }
    }
    return style
  }

  private func attributes(_ node: SettingsNode) throws(FileError) -> Attributes {
    var attributes: Attributes = []
    for element in node.list() {
      let name = try element.text("an attribute")
      guard let attribute = Self.attributes[name] else {
        let known = Self.attributes.keys.sorted().joined(separator: ", ")
        throw element.error("unknown attribute \"\(name)\"; attributes are \(known)")
      }
      attributes.insert(attribute)
    }
    return attributes
  }

  private static let attributes: [String: Attributes] = [
    "bold": .bold, "dim": .dim, "italic": .italic, "underline": .underline, "reverse": .reverse,
  ]

  /// A colour: of the palette, of the terminal, `#rrggbb`, or a mapping with one for each depth.
  private func color(_ node: SettingsNode) throws(FileError) -> ThemeColor {
    if node.isMapping { return try colorByDepth(node) }
    let name = try node.text("a colour")
    guard let entry = palette[name] else { return ThemeColor(try plainColor(node)) }
    return entry.isMapping ? try colorByDepth(entry) : ThemeColor(try plainColor(entry))
  }

  private func colorByDepth(_ node: SettingsNode) throws(FileError) -> ThemeColor {
    var full: Color?
    var result = ThemeColor(.terminalDefault)
    for (key, value) in try node.pairs("a colour") {
      switch try key.text("a depth") {
      case "color": full = try plainColor(value)
      case "256": result.indexed256 = try plainColor(value)
      case "16": result.ansi16 = try plainColor(value)
      case "8": result.ansi8 = try plainColor(value)
      case let other: throw key.error("\"\(other)\" is none of color, 256, 16, 8")
      }
    }
    guard let full else { throw node.error("a colour for several depths needs a \"color\"") }
    result.full = full
    return result
  }

  private func plainColor(_ node: SettingsNode) throws(FileError) -> Color {
    let name = try node.text("a colour")
    if let color = Color(hex: name) { return color }
    if name == "default" { return .terminalDefault }
    if let number = Color.ansiNames.firstIndex(of: name) { return .ansi(UInt8(number)) }
    throw node.error(
      "bad colour \"\(name)\"; write \"#rrggbb\", a name of the palette, default, or one of "
        + Color.ansiNames.joined(separator: ", "))
  }
}

extension Color {
  /// The terminal's own sixteen colours by name, in their order.
  static let ansiNames =
    ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]
    + ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"].map {
      "bright-\($0)"
    }
}
