import Compression

/// A layer's report in words and figures, each with its standing.
struct ReportText {
  private let report: LayerReport
  private let glyphs: Glyphs

  init(_ report: LayerReport, glyphs: Glyphs) {
    self.report = report
    self.glyphs = glyphs
  }

  private var isSampled: Bool { report.standing != .exact }
  private var tilde: String { isSampled ? "~" : "" }

  /// The SQNR with its band: `~32.8 ±0.4 dB`, or that there is no error.
  var sqnr: String {
    guard let sqnr = report.error.sqnr else { return "no error" }
    let band =
      isSampled ? " \(glyphs.plusMinus)\(Figures.fixed(report.error.sqnrBand, 1))" : ""
    return "\(tilde)\(Figures.fixed(sqnr, 1))\(band) dB"
  }

  /// The SQNR without its band: `~32.8 dB`.
  var briefSQNR: String {
    report.error.sqnr.map { "\(tilde)\(Figures.fixed($0, 1)) dB" } ?? "no error"
  }

  var maximum: String { tilde + Figures.significant(report.error.maxError) }
  var cosine: String { tilde + Figures.fixed(report.error.cosine, 5) }
  var mse: String { tilde + Figures.significant(report.error.mse) }
  var zeros: String { tilde + Figures.percent(report.zeroFraction) }

  /// What the figures rest on.
  var standing: String {
    switch report.standing {
    case .exact: "exact"
    case .sampled(let rows): "sampled, \(rows) rows"
    }
  }

  /// Every figure with its name, for the clipboard.
  var rows: [(name: String, value: String)] {
    [
      ("layer", report.layer), ("scheme", report.scheme.summary), ("standing", standing),
      ("SQNR", sqnr), ("max error", maximum), ("cosine", cosine), ("MSE", mse), ("zeros", zeros),
      ("bytes", "\(report.size.original) -> \(report.size.total)"),
      ("bpw", Figures.fixed(report.bitsPerWeight, 3)),
    ].map { (name: $0.0, value: $0.1) }
  }
}

/// The bytes of a layer part by part, as bits a weight.
struct LayerSizeText {
  private let size: LayerSize
  private let parameters: Int

  init(_ size: LayerSize, parameters: Int) {
    self.size = size
    self.parameters = max(parameters, 1)
  }

  /// Everything counted.
  var total: String { bits(size.total) }

  /// The parts that take any bits worth naming.
  var parts: [(name: String, value: String)] {
    [
      ("codes", size.codes), ("scales", size.scales), ("zero points", size.zeroPoints),
      ("mask", size.mask), ("padding", size.padding),
    ].filter { Double($0.1) * 8 >= 0.0005 * Double(parameters) }.map {
      (name: $0.0, value: bits($0.1))
    }
  }

  private func bits(_ bytes: Int) -> String {
    Figures.fixed(Double(bytes) * 8 / Double(parameters), 3)
  }
}
