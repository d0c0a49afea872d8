extension AppState {
  /// Shows layers as a matrix by a figure, by the next one, or as the list again.
  mutating func showMatrix(_ name: String?) -> [Effect] {
    guard let model else {
      inform("No model is open; o opens one")
      return []
    }
    let all = MatrixFigure.allCases
    if let name {
      guard let figure = MatrixFigure(rawValue: name) else {
        guard name == Self.noMatrix else {
          let known = (all.map(\.rawValue) + [Self.noMatrix]).joined(separator: ", ")
          refuse("No figure \"\(name)\"; there are \(known)")
          return []
        }
        matrix = nil
        return []
      }
      matrix = figure
    } else {
      let place = matrix.flatMap { all.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
      matrix = all.indices.contains(place) ? all[place] : nil
    }
    _ = show(.layers)
    focus(.table)
    guard let matrix else { return [] }
    // Cells are rows of the list, so that marks, filters and changes are the same.
    table.foldAll(false, in: model)
    table.show(.natural, of: model)
    if case .block(let block)? = table.row, let first = model.layersOfBlock[block]?.first {
      moveInMatrix(to: first)
    }
    inform("Blocks and roles by \(matrix.title)")
    return []
  }

  /// What `:matrix` says for the list.
  static let noMatrix = "off"

  /// Moves by cells.
  mutating func moveInMatrix(rows: Int = 0, columns: Int = 0) {
    guard let model else { return }
    let grid = MatrixGrid(model, of: table.matching)
    let here = inspectedLayer ?? table.matching.first
    guard let here else { return }
    moveInMatrix(to: grid.layer(from: here, rows: rows, columns: columns))
  }

  mutating func moveInMatrix(to layer: Int) {
    if let row = table.rows.firstIndex(of: .layer(layer)) { table.move(to: row) }
  }
}
