import Engine
import Sessions
import Terminal

/// Where the parts of the Budget screen are.
struct BudgetLayout: Hashable, Sendable {
  /// The box of the plot, border included.
  let plotBox: Rect
  /// Cells of the plot itself.
  let plot: Rect
  /// The row of byte values below the plot.
  let axis: Rect
  /// The row that says what the signs mean.
  let legend: Rect
  /// The box beside or below the plot.
  let side: Rect
  let figures: Rect
  let tabs: TabStrip
  /// Rows of the list.
  let rows: Rect

  /// Cells left of the plot for values of KLD.
  static let labelWidth = 7
  /// Rows of figures about the proposal.
  private static let figureRows = 5

  init(body: Rect) {
    let (plotBox, side): (Rect, Rect)
    if body.columns >= 100 {
      // Wide enough for a change of one scheme into another.
      let least = body.columns >= 116 ? 56 : 46
      (plotBox, side) = body.splitRight(min(max(body.columns * 42 / 100, least), 84))
    } else {
      (plotBox, side) = body.splitBottom(max(body.rows * 48 / 100, 8))
    }
    self.plotBox = plotBox
    self.side = side
    let (legend, below) = plotBox.inset(columns: 1, rows: 1).splitTop(1)
    let (graph, axis) = below.splitBottom(1)
    self.legend = legend
    plot = graph.splitLeft(Self.labelWidth).rest.splitRight(1).rest
    self.axis = axis.splitLeft(Self.labelWidth).rest.splitRight(1).rest
    let inside = side.inset(columns: 1, rows: 1)
    // In a low box figures give way to the list.
    let (figures, rest) = inside.splitTop(
      inside.rows >= 12 ? Self.figureRows + 1 : min(3, inside.rows - 3))
    self.figures = figures.inset(columns: 1, rows: 0)
    let (heading, rows) = rest.splitTop(1)
    tabs = TabStrip(
      BudgetState.List.allCases.map(\.rawValue), at: heading.origin, maxColumns: heading.columns,
      gap: 1)
    self.rows = rows
  }
}

/// The axes of the frontier's plot for what is known now.
struct FrontierAxes: Hashable, Sendable {
  let bytes: Axis
  let divergence: Axis

  /// Nil while there is no frontier to draw.
  init?(_ state: AppState) {
    guard let frontier = state.budget.frontier, let range = state.budgetRange else { return nil }
    // Known plans are shown also where the curve does not reach.
    let plans = state.compared.compactMap { plan in
      plan.divergence.flatMap { $0.value > 0 ? (bytes: plan.bytes, divergence: $0.value) : nil }
    }
    let least = plans.map(\.bytes).reduce(range.lowerBound, min)
    let most = plans.map(\.bytes).reduce(range.upperBound, max)
    bytes = Axis(linear: Double(least)...Double(most))
    let shown = (frontier.curve + frontier.marks).filter { (least...most).contains($0.bytes) }
    divergence = Axis(logarithmic: shown.map(\.divergence) + plans.map(\.divergence))
  }

  /// The cell column of so many bytes in a plot.
  func column(ofBytes count: Int, in plot: Rect) -> Int {
    plot.column + Int((bytes.share(of: Double(count)) * Double(max(0, plot.columns - 1))).rounded())
  }

  /// The cell row of a KLD in a plot.
  func row(of value: Double, in plot: Rect) -> Int {
    let fromBelow = divergence.share(of: value) * Double(max(0, plot.rows - 1))
    return plot.endRow - 1 - Int(fromBelow.rounded())
  }

  /// The bytes that a cell column stands for.
  func bytes(atColumn column: Int, in plot: Rect) -> Int {
    let share = Double(column - plot.column) / Double(max(1, plot.columns - 1))
    return Int(bytes.value(at: min(max(share, 0), 1)).rounded())
  }
}

extension AppState {
  /// The bytes between which the budget moves: those of the frontier's ends.
  var budgetRange: ClosedRange<Int>? {
    let curve = budget.frontier?.curve.map(\.bytes) ?? []
    guard let least = curve.min(), let most = curve.max(), least < most else { return nil }
    return least...most
  }
}
