import Terminal

/// The special characters that views draw with: one set for UTF-8, one for plain ASCII.
struct Glyphs: Hashable, Sendable {
  /// What plots are made of.
  enum Plot: String, CaseIterable, Hashable, Sendable {
    /// Two by four dots a cell.
    case braille
    /// Eighths of a cell.
    case blocks
    case ascii
  }

  var plot: Plot
  var box: BoxGlyphs
  var folded: String
  var unfolded: String
  var mark: String
  /// Some of a block's layers are marked.
  var partialMark: String
  var ellipsis: String
  /// Stands where there is no figure.
  var dash: String
  var separator: String
  var times: String
  var arrow: String
  var plusMinus: String
  var up: String
  var down: String
  /// Left edge, filled, empty and right edge of bars.
  var barStart: String
  var barFull: Character
  var barEmpty: Character
  var barEnd: String
  /// Bar cells filled from one eighth to seven; empty where cells are full or empty only.
  var barPart: [Character]
  var rule: Character
  var scrollThumb: Character
  /// A layer that the solver leaves alone.
  var pin: String
  /// A layer that the target cannot hold.
  var misfit: String
  /// Points of the frontier's plot: hollow ones predicted, filled ones measured.
  var plan: String
  var planMeasured: String
  var snapshot: String
  var snapshotMeasured: String
  var proposal: String
  var uniform: String
  var mix: String
  /// The curve in the plot's legend.
  var curve: String
  var budgetLine: Character
  /// Lines behind a plot at round values.
  var grid: Character

  /// Whether only ASCII may reach the screen.
  var isASCII: Bool { plot == .ascii }

  static let unicode = Glyphs(
    plot: .braille, box: .rounded, folded: "▸", unfolded: "▾", mark: "•", partialMark: "◦",
    ellipsis: "…", dash: "–", separator: "·", times: "×", arrow: "→", plusMinus: "±", up: "▲",
    down: "▼", barStart: "▐", barFull: "█", barEmpty: "░", barEnd: "▌",
    barPart: ["▏", "▎", "▍", "▌", "▋", "▊", "▉"], rule: "─", scrollThumb: "┃", pin: "P",
    misfit: "!", plan: "○",
    planMeasured: "●", snapshot: "□", snapshotMeasured: "■", proposal: "◆", uniform: "×",
    mix: "△", curve: "⣀⣀", budgetLine: "│", grid: "┈")

  /// For lines that are read aloud: signs between figures are words.
  static let spoken: Glyphs = {
    var glyphs = ascii
    (glyphs.arrow, glyphs.separator, glyphs.plusMinus) = ("to", ",", " plus or minus ")
    (glyphs.dash, glyphs.times, glyphs.misfit) = ("none", " by ", "unfit")
    return glyphs
  }()

  static let ascii = Glyphs(
    plot: .ascii, box: .ascii, folded: ">", unfolded: "v", mark: "*", partialMark: "+",
    ellipsis: "..", dash: "-", separator: "-", times: "x", arrow: "->", plusMinus: "+-", up: "^",
    down: "v", barStart: "[", barFull: "#", barEmpty: ".", barEnd: "]", barPart: [], rule: "-",
    scrollThumb: "#", pin: "P", misfit: "!", plan: "o", planMeasured: "@", snapshot: "s",
    snapshotMeasured: "S",
    proposal: "*", uniform: "x", mix: "+", curve: "..", budgetLine: "|", grid: "-")
}
