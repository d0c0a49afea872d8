/// What methods that go column by column know of a layer's inputs: how the error of one column is best
/// made up for by the columns after it.
///
/// With H = E[x x^T] + damping * mean(diagonal of E[x x^T]) * I, columns in `order`, it is the upper factor U
/// of the inverse: H^-1 = U^T U (GPTQ, arXiv 2210.17323). It depends on inputs alone: layers that share an
/// input share it, whatever their schemes. An input that was always zero has nothing but the damping,
/// so its weights are rounded to nearest and pruned first.
public struct HessianFactor: Sendable {
  /// The order in which columns are swept.
  public enum Order: Hashable, Sendable {
    /// By falling second moment, so that the columns that matter most have the most others to make up for
    /// them; groups keep their places in the row.
    case falling
    /// As in the layer, for patterns of consecutive weights.
    case stored
  }

  /// The share of the mean second moment that is added to all of them.
  public static let damping: Float = 0.01

  public let ordering: Order
  /// The column of the layer that is swept first, the one swept second, and so on.
  public let order: [Int]
  /// U for second moments divided by ``scale``; zeros below the diagonal.
  public let upper: Matrix
  /// The mean second moment; 1 if all are zero.
  public let scale: Float
  /// The share of ``scale`` that had to be added; infinite where no share was enough, and columns are taken
  /// as independent.
  public let damping: Float

  init(ordering: Order, order: [Int], upper: Matrix, scale: Float, damping: Float) {
    self.ordering = ordering
    self.order = order
    self.upper = upper
    self.scale = scale
    self.damping = damping
  }

  /// Factorizes the second moments of a layer's inputs in one go; see ``HessianFactorization`` for steps.
  ///
  /// - Parameters:
  ///   - gram: E[x x^T], square and symmetric.
  ///   - ordering: the order that columns are swept in.
  ///   - damping: share of the mean diagonal that is added to the diagonal.
  public init(
    gram: Matrix, ordering: Order = .falling, damping: Float = HessianFactor.damping
  ) {
    var work = HessianFactorization(gram: gram, ordering: ordering, damping: damping)
    while true {
      if let factor = work.finish() {
        self = factor
        return
      }
      work.step()
    }
  }

  /// Input channels.
  public var columns: Int { order.count }
}
