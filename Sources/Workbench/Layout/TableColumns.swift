import Checkpoints
import Terminal

/// A column of the table besides the layer's name.
enum TableColumn: CaseIterable, Hashable, Sendable {
  case shape, type, bits, group, method, sparsity, size, bitmask, bitsPerWeight, decibel, divergence

  var title: String {
    switch self {
    case .shape: "shape"
    case .type: "type"
    case .bits: "bits"
    case .group: "group"
    case .method: "method"
    case .sparsity: "sparsity"
    case .size: "size"
    case .bitmask: "bitmask"
    case .bitsPerWeight: "bpw"
    case .decibel: "dB"
    case .divergence: "KLD"
    }
  }

  /// Columns on the screen, the same whatever is in it, so that nothing jumps.
  var width: Int {
    switch self {
    case .shape: 11
    case .type: 4
    case .bits: 4
    case .group: 7
    case .method: 7
    case .sparsity: 8
    case .size: 8
    case .bitmask: 8
    case .bitsPerWeight: 5
    case .decibel: 5
    case .divergence: 8
    }
  }

  /// The order in which columns are given up when there is no room for all: the first stay longest.
  static let importance: [TableColumn] = [
    .bits, .size, .decibel, .divergence, .group, .sparsity, .shape, .method, .bitsPerWeight, .type,
    .bitmask,
  ]

  /// What a click on the heading sorts by.
  var order: SortOrder? {
    switch self {
    case .bits, .bitsPerWeight: .bits
    case .size: .size
    case .decibel: .decibel
    case .divergence: .divergence
    default: nil
    }
  }
}

/// Which columns the table has at a width, and where they are.
struct TableColumns: Hashable, Sendable {
  struct Place: Hashable, Sendable {
    let column: TableColumn
    /// First cell, counted from the left edge of the table's inside.
    let start: Int
    let width: Int
  }

  /// Cells before the name: a mark and a blank.
  static let margin = 2
  /// The least and the most cells of the name, indentation included.
  static let nameRange = 14...30

  let nameWidth: Int
  let places: [Place]

  /// Columns for a width; those of predicted KLD and of bitmasks only where there is something in them.
  init(width: Int, hasSensitivity: Bool = false, hasSparsity: Bool = false) {
    var chosen: Set<TableColumn> = []
    var used = Self.margin + Self.nameRange.lowerBound
    for column in TableColumn.importance {
      if column == .divergence && !hasSensitivity || column == .bitmask && !hasSparsity { continue }
      guard used + 1 + column.width <= width else { break }
      chosen.insert(column)
      used += 1 + column.width
    }
    let columns = TableColumn.allCases.filter(chosen.contains)
    var spare = max(0, width - used)
    // First the name, for what it is called counts most; then wider gaps between columns.
    let forName = min(spare, Self.nameRange.upperBound - Self.nameRange.lowerBound, 7 + spare / 3)
    spare -= forName
    let gap = 1 + (columns.isEmpty ? 0 : min(3, spare / columns.count))
    spare -= (gap - 1) * columns.count
    nameWidth = Self.nameRange.lowerBound + forName + max(0, spare)
    var start = Self.margin + nameWidth
    places = columns.map { column in
      defer { start += gap + column.width }
      return Place(column: column, start: start + gap, width: column.width)
    }
  }

  /// The column whose heading or cell is at that place.
  func column(at offset: Int) -> TableColumn? {
    places.first { ($0.start - 1..<$0.start + $0.width).contains(offset) }?.column
  }
}
