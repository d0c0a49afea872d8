import Allocation

/// How predictions agreed with what was measured, in words and figures.
struct AgreementText {
  private let agreement: PredictionAgreement

  init(_ agreement: PredictionAgreement) { self.agreement = agreement }

  /// `predictions are 0.93 times what 24 layers measured (rank correlation 0.97), 1.04 times what 2 plans measured`.
  var line: String {
    let parts = figures.map { name, found in
      let rank =
        found.rankCorrelation.map { " (rank correlation \(Figures.fixed($0, 2)))" } ?? ""
      return "\(Figures.fixed(found.ratio, 2)) times what \(name) measured\(rank)"
    }
    return "predictions are " + parts.joined(separator: ", ")
  }

  /// The same in few words: `agreement  24 layers 0.93  2 plans 1.04`.
  func segments(_ painter: Painter) -> [Segment] {
    [painter.segment("agreement", .dim)]
      + figures.flatMap { name, found in
        [
          painter.segment("  \(name) ", .dim),
          painter.segment(Figures.fixed(found.ratio, 2)),
        ]
      }
  }

  private var figures: [(name: String, found: Agreement)] {
    [("layer", agreement.layers), ("plan", agreement.plans)].compactMap { what, found in
      found.map { ("\($0.count) \(what)\($0.count == 1 ? "" : "s")", $0) }
    }
  }
}
