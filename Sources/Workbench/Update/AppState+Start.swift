extension AppState {
  /// Shows the models that can be opened, and looks for them the first time.
  mutating func showStart() -> [Effect] {
    _ = show(.start)
    return start.entries.isEmpty && !start.isLooking ? lookForModels() : []
  }

  mutating func lookForModels() -> [Effect] {
    guard !start.isLooking else { return [] }
    start.begin()
    return [.findModels(folder: start.folder)]
  }

  mutating func take(_ event: ModelsEvent) -> [Effect] {
    switch event {
    case .recent(let entries), .found(let entries): start.add(entries)
    case .done: start.isLooking = false
    }
    return []
  }

  /// Opens the model under the cursor; what was done with it is offered once it is open.
  mutating func openChosenModel() -> [Effect] {
    guard let entry = start.chosen else {
      inform(
        start.isLooking ? "Still looking for models" : "There is no model here; o opens a path")
      return []
    }
    if case .opening = opening { return [] }
    return openCheckpoint(entry.path)
  }
}
