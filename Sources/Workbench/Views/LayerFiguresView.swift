import Allocation
import Checkpoints
import Compression
import Engine
import Export
import Tensors
import Terminal

/// The figures of one layer: scheme, error, bytes, and what the bits go into.
struct LayerFiguresView {
  let state: AppState
  let model: OpenModel
  let layer: Int

  /// Rows that all figures take in a pane of a width.
  func rows(columns: Int) -> Int {
    let misfit = misfitReason.map { wrapped($0, columns: max(columns, 1)).count + 1 } ?? 0
    return 8 + misfit + (model.sensitivity.isEmpty ? 0 : 1) + (coverage == nil ? 0 : 1)
  }

  /// What the layer's experts read in the last calibration; nil without one, and for layers that are no experts'.
  private var coverage: ExpertCoverage? {
    let described = model.layers[layer]
    guard described.count > 1 else { return nil }
    return state.calibration?.experts.first { described.name.hasPrefix($0.name + ".") }
  }

  private var misfitReason: String? {
    guard let refusal = model.refusal(layer), let target = state.target else { return nil }
    return "\(state.glyphs.misfit) \(target.rawValue): \(refusal.reason)"
  }

  func draw(in rect: Rect, on painter: inout Painter) {
    for (offset, line) in lines(columns: rect.columns, painter).prefix(rect.rows).enumerated() {
      painter.put(
        line, at: Point(column: rect.column, row: rect.row + offset), maxColumns: rect.columns)
    }
  }

  private func lines(columns: Int, _ painter: Painter) -> [[Segment]] {
    let scheme = model.schemes[layer]
    let report = model.currentReport(layer)
    var lines: [[Segment]] = [schemeLine(scheme, report, painter)]
    lines += misfitLines(columns: columns, painter)
    if scheme.keepsLayer {
      lines.append([painter.segment("no error: nothing is changed", .dim)])
    } else if let report {
      let text = ReportText(report, glyphs: state.glyphs)
      lines.append(pairs([("SQNR", text.sqnr), ("max", text.maximum)], painter))
      lines.append(pairs([("cosine", text.cosine), ("MSE", text.mse)], painter))
      if let note = report.missedExpertsNote {
        lines += wrapped(note, columns: max(columns, 1)).map {
          [painter.segment(String($0), .warn)]
        }
      }
    } else {
      lines.append([painter.segment("waiting for the engine", .dim)])
      lines.append([])
    }
    lines.append(bytesLine(painter))
    if let predicted = model.predictedDivergence(layer), !scheme.keepsLayer {
      lines.append(divergenceLine(predicted, painter))
    }
    if let coverage { lines.append(coverageLine(coverage, painter)) }
    return lines + partLines(columns: columns, painter)
  }

  private func schemeLine(
    _ scheme: Scheme, _ report: LayerReport?, _ painter: Painter
  ) -> [Segment] {
    let summary =
      scheme.keepsLayer ? "kept as \(model.layers[layer].storedText)" : scheme.summary
    var segments = [painter.segment(summary, .strong)]
    if let report, !scheme.keepsLayer {
      segments.append(
        painter.segment("   " + ReportText(report, glyphs: state.glyphs).standing, .dim))
    }
    return segments
  }

  /// Why the target cannot hold the layer, and what it can.
  private func misfitLines(columns: Int, _ painter: Painter) -> [[Segment]] {
    guard let misfitReason else { return [] }
    let nearest = model.refusal(layer)?.nearest?.summary ?? "keep"
    return wrapped(misfitReason, columns: max(columns, 1)).map {
      [painter.segment(String($0), .warn)]
    } + [
      [painter.segment("F", .key), painter.segment(" nearest ", .dim), painter.segment(nearest)]
    ]
  }

  private func divergenceLine(
    _ predicted: PredictedDivergence, _ painter: Painter
  ) -> [Segment] {
    let band = "\(Figures.significant(predicted.low)) to \(Figures.significant(predicted.high))"
    return [
      painter.segment("KLD ", .dim), painter.segment("~\(Figures.significant(predicted.mean))"),
      painter.segment("  \(band)", .dim),
    ]
  }

  /// How many tokens the router sent to the experts, and how many it sent next to none.
  private func coverageLine(_ coverage: ExpertCoverage, _ painter: Painter) -> [Segment] {
    let (least, most) = (coverage.tokens.min() ?? 0, coverage.tokens.max() ?? 0)
    var line = pairs([("experts read", "\(least) to \(most) tokens")], painter)
    let missed = coverage.missed.count
    if missed > 0 {
      line.append(painter.segment("   \(missed) of \(coverage.tokens.count) missed", .warn))
    }
    return line
  }

  private func bytesLine(_ painter: Painter) -> [Segment] {
    let size = model.size(layer)
    let tilde = model.isSizeEstimate(layer) ? "~" : ""
    let ratio = Double(size.original) / Double(max(size.total, 1))
    let bits = LayerSizeText(size, parameters: model.layers[layer].parameters).total
    return [
      painter.segment(Figures.bytes(size.original) + " \(state.glyphs.arrow) ", .dim),
      painter.segment(tilde + Figures.bytes(size.total), .strong),
      painter.segment("  \(Figures.fixed(ratio, 2))x", .dim),
      painter.segment("   \(bits) bpw", .strong),
    ]
  }

  /// What the bits go into and what else is known of the weights, as much a line as fits.
  private func partLines(columns: Int, _ painter: Painter) -> [[Segment]] {
    let size = model.size(layer)
    var parts = LayerSizeText(size, parameters: model.layers[layer].parameters).parts
    if parts.count == 1 { parts = [] }
    if let report = model.currentReport(layer), !report.scheme.keepsLayer {
      parts.append((name: "zeros", value: ReportText(report, glyphs: state.glyphs).zeros))
    }
    if let bitmask = size.withBitmask {
      let weights = max(model.layers[layer].parameters, 1)
      let bits = Figures.fixed(Double(bitmask) * 8 / Double(weights), 2)
      parts.append((name: "with a bitmask", value: "\(Figures.bytes(bitmask)), \(bits) bpw"))
    }
    if let rival = model.rival(layer) { parts.append(rivalPart(rival)) }
    var lines: [[Segment]] = []
    for part in parts {
      let pair = pairs([(part.name, part.value)], painter)
      if let last = lines.last, Painter.width(of: last + pair) + 3 <= columns {
        lines[lines.count - 1] += [painter.segment("   ")] + pair
      } else {
        lines.append(pair)
      }
    }
    return lines
  }

  /// What the same bytes hold without zeros: the dense scheme's size and error.
  private func rivalPart(_ rival: Scheme) -> (name: String, value: String) {
    let size = LayerSize.predicted(
      for: model.shapes[layer], scheme: rival, original: model.layers[layer].bytes)
    let error =
      model.rivalReport(layer).map { ReportText($0, glyphs: state.glyphs).briefSQNR }
      ?? state.glyphs.ellipsis
    let what = rival.quantization.map { $0.typeName ?? "\($0.bits) bit" } ?? ""
    return (name: "dense \(what)", value: "\(Figures.bytes(size.total)), \(error)")
  }

  private func pairs(_ pairs: [(String, String)], _ painter: Painter) -> [Segment] {
    pairs.enumerated().flatMap { index, pair in
      [
        painter.segment((index > 0 ? "   " : "") + pair.0 + " ", .dim),
        painter.segment(pair.1),
      ]
    }
  }
}
