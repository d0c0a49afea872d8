/// Finds room for labels beside marks, so that none lies on another label or on a mark.
struct LabelPlacement {
  /// A rectangle, in the drawing's units.
  private struct Box {
    let left, right, top, bottom: Double

    func overlaps(_ other: Box) -> Bool {
      left < other.right && other.left < right && top < other.bottom && other.top < bottom
    }
  }

  /// Where a label's baseline begins.
  struct Place: Hashable {
    let x, y: Double
  }

  private static let glyphWidth = 6.8
  private static let (ascent, descent) = (10.0, 3.0)

  private let width: Double
  private let height: Double
  private var taken: [Box]

  /// An empty drawing but for its marks.
  ///
  /// - Parameters:
  ///   - width: of the drawing.
  ///   - height: of the drawing.
  ///   - marks: centres of circles that no label may cover.
  ///   - radius: of the circles.
  init(width: Double, height: Double, marks: [(x: Double, y: Double)], radius: Double) {
    (self.width, self.height) = (width, height)
    taken = marks.map {
      Box(left: $0.x - radius, right: $0.x + radius, top: $0.y - radius, bottom: $0.y + radius)
    }
  }

  /// Takes a place beside (`x`, `y`); nil where there is no room: the label is better left out.
  mutating func place(_ label: String, x: Double, y: Double) -> Place? {
    let length = Double(label.count) * Self.glyphWidth
    let columns = [x + 8, x - 8 - length]
    let rows = [y - 6, y + 4, y + 15, y - 18, y + 27]
    for row in rows {
      for column in columns {
        let box = Box(
          left: column, right: column + length, top: row - Self.ascent, bottom: row + Self.descent)
        guard box.left >= 0, box.right <= width, box.top >= 0, box.bottom <= height,
          !taken.contains(where: box.overlaps)
        else { continue }
        taken.append(box)
        return Place(x: column, y: row)
      }
    }
    return nil
  }
}
