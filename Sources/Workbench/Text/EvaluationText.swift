import Inference

/// What an evaluation found, in words and figures.
struct EvaluationText {
  private let result: EvaluationSummary
  private let glyphs: Glyphs

  init(_ result: EvaluationSummary, glyphs: Glyphs) {
    self.result = result
    self.glyphs = glyphs
  }

  /// The most important figures in a line: `PPL 18.21 → 21.30   KLD 0.0312   top-1 91%`.
  var line: String { parts.joined(separator: "   ") }

  /// The figures of ``line`` one by one, most important first.
  var parts: [String] {
    var ppl = "PPL \(Self.ppl(result.referencePPL))"
    if let compressed = result.compressedPPL { ppl += " \(glyphs.arrow) \(Self.ppl(compressed))" }
    var parts = [ppl]
    if let mean = result.divergence?.mean { parts.append("KLD \(Figures.significant(mean.value))") }
    if let share = result.top1Agreement { parts.append("top-1 \(Figures.percent(share.value))") }
    return parts
  }

  /// Every figure with its name, for the overlay.
  var rows: [(name: String, value: String)] {
    var rows = [("PPL, reference", Self.ppl(result.referencePPL))]
    if let ppl = result.compressedPPL { rows.append(("PPL, compressed", Self.ppl(ppl))) }
    if let divergence = result.divergence {
      rows += [
        ("KLD mean", Figures.significant(divergence.mean.value) + " nats a token"),
        ("KLD median", Figures.significant(divergence.median.value)),
        ("KLD 99th percentile", Figures.significant(divergence.p99.value)),
        ("KLD maximum", Figures.significant(divergence.max.value)),
      ]
    }
    if let share = result.top1Agreement {
      rows.append(("top-1 agreement", Figures.percent(share.value)))
    }
    rows.append(("scored tokens", "\(result.tokens) in \(result.windows) windows"))
    return rows.map { (name: $0.0, value: $0.1) }
  }

  private static func ppl(_ estimate: Estimate) -> String {
    Figures.fixed(estimate.value, estimate.value < 1000 ? 2 : 0)
  }
}
