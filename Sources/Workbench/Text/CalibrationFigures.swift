import Checkpoints
import Engine

/// What a calibration read, in words and figures.
struct CalibrationFigures {
  private let summary: CalibrationSummary
  private let glyphs: Glyphs

  init(_ summary: CalibrationSummary, glyphs: Glyphs) {
    self.summary = summary
    self.glyphs = glyphs
  }

  /// `16384 tokens in 32 windows, 10.7 for each input of the widest layer`.
  var line: String {
    "\(summary.tokens) tokens in \(summary.windows) windows, \(ratio) for each input of the widest layer"
  }

  private var ratio: String { Figures.significant(summary.tokensPerInput) }

  /// The text, the ratio of tokens to width, and a sign where that is too little.
  ///
  /// - Parameters:
  ///   - painter: in whose words.
  ///   - columns: that there are.
  /// - Returns: what has room; the rest is left out.
  func segments(_ painter: Painter, columns: Int) -> [Segment] {
    let isShort = summary.warning != nil
    let width = painter.segment(
      "  \(isShort ? "! " : "")\(ratio)\(glyphs.times) the width", isShort ? .warn : .dim)
    let tokens = painter.segment("  \(summary.tokens) tokens", .dim)
    return Painter.fitting(
      [
        [
          painter.segment("calibrated on ", .dim),
          painter.segment(summary.textPath.fileName),
        ]
        // A text that is too short is the first thing to know of it.
      ] + (isShort ? [[width], [tokens]] : [[tokens], [width]]), columns)
  }
}
