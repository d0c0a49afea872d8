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
  func segments(_ painter: Painter) -> [Segment] {
    let isShort = summary.warning != nil
    return [
      painter.segment("calibrated on ", .dim), painter.segment(summary.textPath.fileName),
      painter.segment("  \(summary.tokens) tokens", .dim),
      painter.segment(
        "  \(isShort ? "! " : "")\(ratio)\(glyphs.times) the width", isShort ? .warn : .dim),
    ]
  }
}
