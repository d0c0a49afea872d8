import Compression
import Glibc

/// KLD against size as an SVG: megabytes across, nats a token upwards in powers of ten.
struct FrontierDrawing {
  private static let (width, height) = (760.0, 380.0)
  private static let (left, right, top, bottom) = (64.0, 24.0, 12.0, 40.0)
  private static let radius = 4.0

  private let curve: [ReportFrontier.Point]
  private let marks: [ReportFrontier.Point]
  /// Megabytes at both ends.
  private let sizes: ClosedRange<Double>
  /// Powers of ten at both ends.
  private let powers: ClosedRange<Double>

  /// - Returns: nil where there is nothing to draw: a KLD of zero has no place on this scale.
  init?(_ frontier: ReportFrontier) {
    curve = frontier.curve.filter { $0.divergence > 0 && $0.divergence.isFinite }
    marks = frontier.marks.filter { $0.divergence > 0 && $0.divergence.isFinite }
    let all = curve + marks
    guard let leastSize = all.map(\.megabytes).min(), let mostSize = all.map(\.megabytes).max(),
      let least = all.map(\.divergence).min(), let most = all.map(\.divergence).max()
    else { return nil }
    let margin = max(0.02 * (mostSize - leastSize), 0.001 * mostSize)
    sizes = (leastSize - margin)...(mostSize + margin)
    powers =
      log10(least).rounded(.down)...max(log10(most).rounded(.up), log10(least).rounded(.down) + 1)
  }

  var svg: Markup {
    """
    <svg width="\(Int(Self.width))" height="\(Int(Self.height))" \
    viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" aria-label="KLD against size">
    \(rows)\(columns)<path class="curve" d="\(path)"/>
    \(drawnMarks)</svg>
    """
  }

  private func x(_ megabytes: Double) -> Double {
    let share = (megabytes - sizes.lowerBound) / (sizes.upperBound - sizes.lowerBound)
    return Self.left + share * (Self.width - Self.left - Self.right)
  }

  private func y(_ divergence: Double) -> Double {
    let share = (log10(divergence) - powers.lowerBound) / (powers.upperBound - powers.lowerBound)
    return Self.height - Self.bottom - share * (Self.height - Self.top - Self.bottom)
  }

  /// A line for each power of ten.
  private var rows: [Markup] {
    (Int(powers.lowerBound)...Int(powers.upperBound)).map { power in
      let value = pow(10, Double(power))
      let place = y(value)
      return """
        <line class="grid" x1="\(Self.left)" x2="\(Self.width - Self.right)" y1="\(place)" \
        y2="\(place)"/><text x="\(Self.left - 8)" y="\(place + 4)" \
        text-anchor="end">\(value.significant(1))</text>

        """
    }
  }

  /// About six ticks of 1, 2 or 5 times a power of ten.
  private var columns: [Markup] {
    let step = Self.step(for: (sizes.upperBound - sizes.lowerBound) / 6)
    let first = Int((sizes.lowerBound / step).rounded(.up))
    let last = Int((sizes.upperBound / step).rounded(.down))
    guard first <= last else { return [] }
    return (first...last).map { number in
      let value = Double(number) * step
      return """
        <text x="\(x(value))" y="\(Self.height - Self.bottom + 20)" \
        text-anchor="middle">\(value.significant(3)) MB</text>

        """
    }
  }

  private static func step(for raw: Double) -> Double {
    let power = pow(10, log10(raw).rounded(.down))
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= raw } ?? 10 * power
  }

  private var path: String {
    let points = curve.map { "\(x($0.megabytes).fixed(1)) \(y($0.divergence).fixed(1))" }
    return points.isEmpty ? "" : "M" + points.joined(separator: " ")
  }

  /// Circles, each with its name beside it where there is room; those in front get theirs first.
  private var drawnMarks: [Markup] {
    let centres = marks.map { (x: x($0.megabytes), y: y($0.divergence)) }
    var placement = LabelPlacement(
      width: Self.width, height: Self.height - Self.bottom, marks: centres, radius: Self.radius)
    return zip(marks, centres).map { mark, centre in
      let kind = mark.isMeasured ? "measured" : "predicted"
      let title =
        "\(mark.name): \(mark.bytes.megabytes) MB, KLD \(mark.divergence.significant(3)), \(kind)"
      let label: Markup =
        if let place = placement.place(mark.name, x: centre.x, y: centre.y) {
          "<text x=\"\(place.x)\" y=\"\(place.y)\">\(mark.name)</text>"
        } else {
          ""
        }
      return """
        <circle class="\(kind)" cx="\(centre.x)" cy="\(centre.y)" \
        r="\(Self.radius)"><title>\(title)</title></circle>\(label)

        """
    }
  }
}

extension ReportFrontier.Point {
  /// 10^6 bytes.
  fileprivate var megabytes: Double { Double(bytes) / 1e6 }
}
