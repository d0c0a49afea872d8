import Allocation

/// How predictions agreed with what was measured, in words and figures.
struct AgreementText {
  private let agreement: PredictionAgreement

  init(_ agreement: PredictionAgreement) { self.agreement = agreement }

  /// `predicted/measured 0.93 of 24 layers, rank 0.97; 1.04 of 2 plans`.
  var line: String {
    let parts = figures.map { name, found in
      let rank = found.rankCorrelation.map { ", rank \(Figures.fixed($0, 2))" } ?? ""
      return "\(Figures.fixed(found.ratio, 2)) of \(name)\(rank)"
    }
    return "predicted/measured " + parts.joined(separator: "; ")
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
