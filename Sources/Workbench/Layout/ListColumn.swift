/// A column of a list besides the name that each row begins with.
protocol ListColumn: CaseIterable, Hashable, Sendable, RawRepresentable<String> {
  /// Cells that its figures take.
  var width: Int { get }
  /// The order in which columns are given up when there is no room for all: the first stay longest.
  static var importance: [Self] { get }
}

extension ListColumn {
  /// The columns that fit beside a name, and the cells left for the name.
  ///
  /// - Parameters:
  ///   - width: cells for all of it.
  ///   - order: which columns stay longest; nil for ``importance``.
  /// - Returns: The columns in the order of their cases, and the cells of the name.
  static func fitting(
    _ width: Int, of order: [Self]? = nil
  ) -> (columns: [Self], nameWidth: Int) {
    let (leastName, mostName) = (16, 32)
    var chosen: Set<Self> = []
    var used = leastName
    for column in order ?? importance where used + 2 + column.width <= width {
      chosen.insert(column)
      used += 2 + column.width
    }
    let spare = min(width - used, mostName - leastName)
    return (allCases.filter(chosen.contains), leastName + max(0, spare))
  }
}
