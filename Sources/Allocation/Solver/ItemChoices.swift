import Compression

/// The options of an item that a best plan may contain, from the smallest to the most faithful.
struct ItemChoices: Sendable {
  /// One option, reduced to what the solver looks at.
  struct Point: Hashable, Sendable {
    let bytes: Int
    let divergence: Double
    /// Its index among the item's options.
    let option: Int
  }

  /// Options that no other beats in both respects: bytes rise and KLDs fall from one to the next.
  let points: [Point]
  /// Indices of the points on the lower convex hull, the first and the last point among them.
  let hull: [Int]

  init(_ options: [PlanOption]) {
    let sorted = options.indices.map {
      Point(bytes: options[$0].bytes, divergence: options[$0].divergence, option: $0)
    }.sorted { ($0.bytes, $0.divergence, $0.option) < ($1.bytes, $1.divergence, $1.option) }
    var points: [Point] = []
    for point in sorted where point.divergence < points.last?.divergence ?? .infinity {
      points.append(point)
    }
    self.points = points
    hull = Self.hull(of: points)
  }

  /// Nats that each more byte saves between two points.
  ///
  /// The hull is made with the very values that increments are sorted by, so that an item's slopes fall strictly.
  static func slope(from smaller: Point, to larger: Point) -> Double {
    (smaller.divergence - larger.divergence) / Double(larger.bytes - smaller.bytes)
  }

  private static func hull(of points: [Point]) -> [Int] {
    var hull: [Int] = []
    for (index, point) in points.enumerated() {
      while let last = hull.last, let before = hull.dropLast().last,
        slope(from: points[before], to: points[last]) <= slope(from: points[last], to: point)
      {
        hull.removeLast()
      }
      hull.append(index)
    }
    return hull
  }
}
