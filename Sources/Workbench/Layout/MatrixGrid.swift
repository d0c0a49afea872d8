import Checkpoints
import Terminal

/// What the cells of the matrix of blocks and roles tell.
enum MatrixFigure: String, CaseIterable, Hashable, Sendable {
  case bits
  /// Predicted, of the layer alone.
  case kld
  case bytes
  /// As an SQNR in dB.
  case error

  var title: String {
    switch self {
    case .bits: "bits"
    case .kld: "predicted KLD"
    case .bytes: "bytes"
    case .error: "SQNR in dB"
    }
  }
}

/// The layers of a model by block and role: a row a block, a column a role; layers outside blocks have rows of their own.
struct MatrixGrid: Hashable, Sendable {
  enum Row: Hashable, Sendable {
    case block(Int)
    /// A layer outside blocks.
    case layer(Int)
  }

  let rows: [Row]
  /// In the order of their first layers.
  let roles: [Role]
  private let layers: [Int: [Role: Int]]

  /// The matrix of the layers of a model that a filter lets through, whose indices ascend.
  init(_ model: OpenModel, of shown: [Int]) {
    var rows: [Row] = []
    var roles: [Role] = []
    var layers: [Int: [Role: Int]] = [:]
    for index in shown {
      let layer = model.layers[index]
      guard let block = layer.block else {
        rows.append(.layer(index))
        continue
      }
      if layers[block] == nil { rows.append(.block(block)) }
      if !roles.contains(layer.role) { roles.append(layer.role) }
      if layers[block]?[layer.role] == nil { layers[block, default: [:]][layer.role] = index }
    }
    (self.rows, self.roles, self.layers) = (rows, roles, layers)
  }

  /// The layer of a cell; nil where a block has none of that role.
  func layer(row: Int, column: Int) -> Int? {
    guard rows.indices.contains(row), roles.indices.contains(column) else { return nil }
    switch rows[row] {
    case .layer(let index): return column == 0 ? index : nil
    case .block(let block): return layers[block]?[roles[column]]
    }
  }

  /// The cell of a layer.
  func place(of layer: Int) -> (row: Int, column: Int)? {
    for row in rows.indices {
      for column in roles.indices where self.layer(row: row, column: column) == layer {
        return (row, column)
      }
    }
    return nil
  }

  /// The layer so many rows and columns from another; cells without a layer are passed over.
  func layer(from layer: Int, rows down: Int, columns right: Int) -> Int {
    guard let place = place(of: layer) else { return layer }
    let row = max(0, min(place.row + down, rows.count - 1))
    let column = max(0, min(place.column + right, roles.count - 1))
    if let found = self.layer(row: row, column: column) { return found }
    if right == 0 { return self.layer(row: row, column: 0) ?? layer }
    let step = right > 0 ? 1 : -1
    var next = column + step
    while roles.indices.contains(next) {
      if let found = self.layer(row: row, column: next) { return found }
      next += step
    }
    return layer
  }
}

/// Where the matrix' cells are in a place.
struct MatrixLayout: Hashable, Sendable {
  let heading: Rect
  let rows: Rect
  /// The first row that is shown.
  let top: Int
  let cellWidth: Int

  static let nameWidth = 13

  init(inside: Rect, grid: MatrixGrid, cursorRow: Int) {
    (heading, rows) = inside.splitTop(1)
    top = max(0, min(cursorRow - rows.rows / 2, grid.rows.count - rows.rows))
    cellWidth = max(5, min(11, (inside.columns - Self.nameWidth) / max(1, grid.roles.count)))
  }

  func cell(row: Int, column: Int) -> Rect {
    Rect(
      column: rows.column + Self.nameWidth + column * cellWidth, row: rows.row + row - top,
      columns: cellWidth, rows: 1)
  }

  /// The row and column of the cell at a place of the screen; nil beside the cells.
  func place(at point: Point, in grid: MatrixGrid) -> (row: Int, column: Int)? {
    let offset = point.column - rows.column - Self.nameWidth
    guard rows.contains(point), offset >= 0 else { return nil }
    let (row, column) = (point.row - rows.row + top, offset / cellWidth)
    return grid.layer(row: row, column: column) == nil ? nil : (row, column)
  }
}
