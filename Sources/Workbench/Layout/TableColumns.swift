import Checkpoints
import Terminal

/// A column of the table besides the layer's name; the raw value is the word for it.
enum TableColumn: String, CaseIterable, Codable, Hashable, Sendable {
  case shape, type, bits, group, method, sparsity, size, share, bitmask, bpw
  case decibel = "db"
  case divergence = "kld"
  case sensitivity

  /// What is so of a column whatever is in it.
  struct Facts {
    /// What its heading says.
    let title: String
    /// Cells on the screen, the same whatever is in it, so that nothing jumps.
    let width: Int
    /// What a click on the heading sorts by.
    let order: SortOrder
    /// What it shows.
    let help: String
  }

  var facts: Facts {
    switch self {
    case .shape: Facts(title: "shape", width: 11, order: .weights, help: "outputs and inputs")
    case .type:
      Facts(title: "type", width: 4, order: .type, help: "how the checkpoint stores the layer")
    case .bits: Facts(title: "bits", width: 4, order: .bits, help: "bits of a code")
    case .group:
      Facts(title: "group", width: 7, order: .group, help: "weights that share a scale")
    case .method:
      Facts(title: "method", width: 7, order: .method, help: "how it is quantized")
    case .sparsity:
      Facts(title: "sparsity", width: 8, order: .sparsity, help: "zeros that are planned")
    case .size: Facts(title: "size", width: 8, order: .size, help: "bytes under the plan")
    case .share:
      Facts(title: "share", width: 6, order: .size, help: "of the bytes of all layers")
    case .bitmask:
      Facts(
        title: "bitmask", width: 8, order: .size, help: "bytes with a bitmask in place of zeros")
    case .bpw:
      Facts(title: "bpw", width: 5, order: .bits, help: "bits a weight, everything counted")
    case .decibel:
      Facts(title: "dB", width: 5, order: .decibel, help: "SQNR: the higher, the smaller the error")
    case .divergence:
      Facts(
        title: "KLD", width: 8, order: .divergence, help: "what its error costs, as predicted")
    case .sensitivity:
      Facts(
        title: "KLD/err", width: 8, order: .sensitivity,
        help: "what an error as large as the weights would cost")
    }
  }

  /// The order in which columns are given up when there is no room for all: the first stay longest.
  static let importance: [TableColumn] = [
    .bits, .size, .decibel, .divergence, .group, .sparsity, .shape, .method, .bpw, .type, .bitmask,
  ]
  /// The word for them.
  static let automatic = "auto"

  /// The columns that words name, in their order; nil for ``automatic``.
  ///
  /// - Throws: ``UnknownColumn`` for a word that names none.
  static func columns(named text: String) throws(UnknownColumn) -> [TableColumn]? {
    let words = text.lowercased().split { $0 == " " || $0 == "," }.map(String.init)
    if words == [automatic] || words.isEmpty { return nil }
    var columns: [TableColumn] = []
    for word in words {
      guard let column = TableColumn(rawValue: word) else { throw UnknownColumn(word: word) }
      if !columns.contains(column) { columns.append(column) }
    }
    return columns
  }

  struct UnknownColumn: Error, Hashable, Sendable {
    let word: String
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

  /// Columns for a width: those asked for, as far as there is room, or else the most important ones; those of predicted
  /// KLD and of bitmasks then only where there is something in them.
  init(
    width: Int, of asked: [TableColumn]? = nil, hasSensitivity: Bool = false,
    hasSparsity: Bool = false
  ) {
    var chosen: [TableColumn] = []
    var used = Self.margin + Self.nameRange.lowerBound
    for column in asked ?? TableColumn.importance {
      if asked == nil,
        column == .divergence && !hasSensitivity || column == .bitmask && !hasSparsity
      {
        continue
      }
      guard used + 1 + column.facts.width <= width else { break }
      chosen.append(column)
      used += 1 + column.facts.width
    }
    let columns = asked == nil ? TableColumn.allCases.filter(chosen.contains) : chosen
    var spare = max(0, width - used)
    // First the name, for what it is called counts most; then wider gaps between columns.
    let forName = min(spare, Self.nameRange.upperBound - Self.nameRange.lowerBound, 7 + spare / 3)
    spare -= forName
    let gap = 1 + (columns.isEmpty ? 0 : min(3, spare / columns.count))
    spare -= (gap - 1) * columns.count
    nameWidth = Self.nameRange.lowerBound + forName + max(0, spare)
    var start = Self.margin + nameWidth
    places = columns.map { column in
      defer { start += gap + column.facts.width }
      return Place(column: column, start: start + gap, width: column.facts.width)
    }
  }

  /// The column whose heading or cell is at that place.
  func column(at offset: Int) -> TableColumn? {
    places.first { ($0.start - 1..<$0.start + $0.width).contains(offset) }?.column
  }
}
