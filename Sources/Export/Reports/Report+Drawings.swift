import Compression
import Tensors

/// What a page draws of its layers.
extension Report {
  /// Blocks across, roles down, a colour for each width.
  var mapSection: Markup {
    let blocks = Set(layers.compactMap(\.block)).sorted()
    guard !blocks.isEmpty else { return "" }
    var roles: [String] = []
    for layer in layers where layer.block != nil && !roles.contains(layer.role) {
      roles.append(layer.role)
    }
    let places = Dictionary(
      layers.filter { $0.block != nil }.map { (Place(role: $0.role, block: $0.block), $0) },
      uniquingKeysWith: { first, _ in first })
    let rows = roles.map { role -> Markup in
      let cells = blocks.map { block -> Markup in
        guard let layer = places[Place(role: role, block: block)] else { return "<td></td>" }
        let title = "\(layer.name): \(layer.scheme), \(layer.bitsPerWeight.fixed(3)) bpw"
        return "<td class=\"b\(layer.bits ?? 16)\" title=\"\(title)\"></td>"
      }
      return "<tr><th>\(role)</th>\(cells)</tr>\n"
    }
    let widths = Set(layers.map { $0.bits ?? 16 }).sorted()
    let key = widths.map { width -> Markup in
      let name = width == 16 ? "kept" : "\(width) bit"
      return "<span class=\"b\(width)\"></span>\(name)"
    }
    return """
      <h2>Widths, block by block</h2>
      <div class="wide"><table class="map">
      \(rows)</table></div>
      <p class="key quiet">block \(blocks[0]) to \(blocks[blocks.count - 1])\(key)</p>

      """
  }

  /// Where the map shows a layer.
  private struct Place: Hashable {
    let role: String
    let block: Int?
  }

  /// Weights before and after, over the same bins.
  static func drawing(of before: Histogram, and after: Histogram) -> Markup {
    histogram(
      "<path class=\"before\" d=\"\(area(before))\"/><path class=\"after\" d=\"\(line(after))\"/>")
  }

  /// Differences.
  static func drawing(of difference: Histogram) -> Markup {
    histogram("<path class=\"change\" d=\"\(area(difference))\"/>")
  }

  private static let (width, height) = (128, 32)

  private static func histogram(_ content: Markup) -> Markup {
    "<svg width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\">\(content)</svg>"
  }

  private static func area(_ histogram: Histogram) -> String {
    "M0 \(height)L\(points(of: histogram)) \(width) \(height)Z"
  }

  private static func line(_ histogram: Histogram) -> String { "M\(points(of: histogram))" }

  /// Heights are square roots, so that tails show beside the many weights about zero.
  private static func points(of histogram: Histogram) -> String {
    let heights = histogram.counts.map { Double($0).squareRoot() }
    let scale = Double(height - 1) / max(1, heights.max() ?? 0)
    let step = Double(width) / Double(max(1, heights.count))
    return heights.enumerated().map { bin, value in
      let x = (Double(bin) + 0.5) * step
      return "\(x.fixed(1)) \((Double(height) - value * scale).fixed(1))"
    }.joined(separator: " ")
  }
}
