import Checkpoints
import Glibc

/// A predicted KLD and the one that was measured, in nats a token.
public struct PredictedAndMeasured: Hashable, Sendable {
  /// Of a layer that alone was compressed; nil for a whole plan.
  public var role: Role?
  /// That layer's name; nil for a whole plan.
  public var layer: String?
  public var predicted: Double
  public var measured: Double
  /// Standard error of `measured`, over it.
  public var relativeError: Double

  public init(
    role: Role? = nil, layer: String? = nil, predicted: Double, measured: Double,
    relativeError: Double = 0
  ) {
    self.role = role
    self.layer = layer
    self.predicted = predicted
    self.measured = measured
    self.relativeError = relativeError
  }
}

/// How well predictions agree with measurements.
public struct Agreement: Codable, Hashable, Sendable {
  /// Pairs that were compared.
  public var count: Int
  /// Spearman's, from -1 to 1: whether the order is right.
  ///
  /// nil for less than three pairs, and where one side does not vary.
  public var rankCorrelation: Double?
  /// Median of predicted / measured.
  public var ratio: Double
  /// Standard deviation of log(predicted / measured); nil for a single pair.
  public var spread: Double?

  /// Compares pairs; those where one side is not positive are left out.
  ///
  /// - Returns: nil if none is left.
  public init?(_ pairs: [PredictedAndMeasured]) {
    let pairs = pairs.filter { $0.predicted > 0 && $0.measured > 0 }
    guard !pairs.isEmpty else { return nil }
    count = pairs.count
    let logs = pairs.map { log($0.predicted / $0.measured) }.sorted()
    let middle = logs.count / 2
    ratio = exp(logs.count % 2 == 1 ? logs[middle] : (logs[middle - 1] + logs[middle]) / 2)
    if logs.count > 1 {
      let mean = logs.reduce(0, +) / Double(logs.count)
      let squares = logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      spread = (squares / Double(logs.count - 1)).squareRoot()
    }
    if pairs.count > 2 {
      rankCorrelation = correlation(
        ranks(pairs.map(\.predicted)), ranks(pairs.map(\.measured)))
    }
  }

  /// The agreement of single layers, role by role.
  public static func byRole(_ pairs: [PredictedAndMeasured]) -> [Role: Agreement] {
    let layers = Dictionary(grouping: pairs.filter { $0.role != nil }, by: \.role)
    var agreements: [Role: Agreement] = [:]
    for (role, pairs) in layers {
      if let role, let agreement = Agreement(pairs) { agreements[role] = agreement }
    }
    return agreements
  }

  /// The agreement of whole plans; nil if none was measured.
  public static func ofPlans(_ pairs: [PredictedAndMeasured]) -> Agreement? {
    Agreement(pairs.filter { $0.role == nil })
  }
}

/// Places in ascending order, from 1; equal values share the mean of theirs.
private func ranks(_ values: [Double]) -> [Double] {
  let order = values.indices.sorted { values[$0] < values[$1] }
  var ranks = Array(repeating: 0.0, count: values.count)
  var start = 0
  while start < order.count {
    var end = start + 1
    while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
    for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
    start = end
  }
  return ranks
}

/// Pearson's correlation; nil if one side does not vary.
private func correlation(_ first: [Double], _ second: [Double]) -> Double? {
  let count = Double(first.count)
  let means = (first.reduce(0, +) / count, second.reduce(0, +) / count)
  var (product, squares) = (0.0, (0.0, 0.0))
  for (x, y) in zip(first, second) {
    product += (x - means.0) * (y - means.1)
    squares.0 += (x - means.0) * (x - means.0)
    squares.1 += (y - means.1) * (y - means.1)
  }
  let scale = (squares.0 * squares.1).squareRoot()
  return scale > 0 ? product / scale : nil
}
