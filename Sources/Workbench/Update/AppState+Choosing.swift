import Checkpoints

extension AppState {
  /// Marks, filters, sorts and folds.
  mutating func chooseLayers(_ command: Command) -> [Effect] {
    guard let model else {
      inform("No model is open; o opens one")
      return []
    }
    switch command.action {
    case .mark:
      if let row = table.row { table.toggleMark(of: row, in: model) }
      table.move(by: 1)
    case .range:
      if table.anchor == nil { table.beginRange() } else { table.endRange(in: model) }
    case .markRole: markRole(in: model)
    case .markAll: table.markAll()
    case .foldAll, .unfoldAll: table.foldAll(command.action == .foldAll, in: model)
    case .nextMatch, .previousMatch:
      if !table.moveToMatch(forward: command.action == .nextMatch, in: model) {
        inform("Nothing to look for; / filters")
      }
    case .sort: sort(command.argument, model)
    case .columns:
      guard let names = command.argument else { return ask(for: .columns) }
      showColumns(names)
    case .filter:
      guard let text = command.argument else {
        let before = table.filter.text
        return open(InputLine(.filter(before: before), title: "/", text: before))
      }
      filter(text)
    default: break
    }
    return []
  }

  private mutating func markRole(in model: OpenModel) {
    guard case .layer(let index)? = table.row else {
      inform("The cursor is on a block; * marks the role of the layer under it")
      return
    }
    table.markRole(in: model)
    inform("\(table.marks.count) marked, all \(model.layers[index].role.rawValue) among them")
  }

  private mutating func sort(_ name: String?, _ model: OpenModel) {
    guard let order = name.map(SortOrder.init(rawValue:)) ?? table.order.next(for: model) else {
      let known = SortOrder.allCases.map(\.rawValue).joined(separator: ", ")
      refuse("No order \"\(name ?? "")\"; there are \(known)")
      return
    }
    guard !order.needsSensitivity || !model.sensitivity.isEmpty else {
      refuse("Sorting \(order.title) needs sensitivity; X measures it")
      return
    }
    table.show(order, of: model)
    inform("Sorted \(order.title)")
  }

  private mutating func showColumns(_ names: String) {
    do {
      table.columns = try TableColumn.columns(named: names)
    } catch {
      let known = TableColumn.allCases.map(\.rawValue).joined(separator: ", ")
      refuse("No column \"\(error.word)\"; there are \(known), and \(TableColumn.automatic)")
    }
  }

  /// Filters the table; a pattern that cannot be read leaves it unfiltered and says why.
  mutating func filter(_ text: String) {
    guard let model else { return }
    let filter = LayerFilter(text).checked(on: model.layers)
    table.show(filter, of: model)
    if let flaw = filter.flaw { refuse(flaw) }
  }
}
