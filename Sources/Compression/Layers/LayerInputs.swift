import Tensors

/// What compressing rows of a layer that read the same knows of what they read, as their rescaled weights see it.
///
/// That is all rows of most layers, and those of one expert of a stack.
struct LayerInputs: Sendable {
  /// The rows of the layer.
  let rows: Range<Int>
  /// What is done to them: the layer's scheme, or what is left of it where calibration came by too little.
  let scheme: Scheme
  /// Whether calibration came by too little of what they read.
  let isMissed: Bool
  /// E[x^2] of each input channel; nil without calibration.
  let secondMoments: [Float]?
  /// What a sweep works with; nil until ``step()`` has made it, or if nothing is swept.
  private(set) var factor: HessianFactor?
  /// What the factor is made of, if none was given.
  private let gram: Matrix?
  private var factorization: HessianFactorization?

  private init(
    rows: Range<Int>, scheme: Scheme, secondMoments: [Float]?, gram: Matrix? = nil,
    factor: HessianFactor? = nil, isMissed: Bool = false
  ) {
    self.rows = rows
    self.scheme = scheme
    self.isMissed = isMissed
    self.secondMoments = secondMoments
    self.gram = gram
    self.factor = factor
  }

  /// Checks that what is known of a layer's inputs is what a scheme needs.
  ///
  /// Statistics and factor are of the inputs in the original model; a factor is used if it has the order
  /// that the scheme sweeps in, and all rows read the same.
  ///
  /// - Returns: the layer's rows in their order, those that read the same together.
  /// - Throws: ``CompressionError`` that says what to calibrate.
  static func parts(
    for scheme: Scheme, shape: LayerShape, statistics: InputStatistics?, factor: HessianFactor?,
    scales: ChannelScales
  ) throws(CompressionError) -> [LayerInputs] {
    let reason = flaw(scheme, shape, statistics, factor, scales)
    if let reason { throw CompressionError(layer: shape.name, reason: reason) }
    guard let statistics, !statistics.experts.isEmpty, scheme.calibrationNeed > .nothing else {
      return [
        try part(
          of: 0..<shape.rows, scheme, shape, statistics: statistics, factor: factor, scales)
      ]
    }
    var parts: [LayerInputs] = []
    let height = shape.rows / statistics.experts.count
    for (number, expert) in statistics.experts.enumerated() {
      let rows = number * height..<(number + 1) * height
      guard let expert, !expert.isMissed else {
        parts.append(
          LayerInputs(
            rows: rows, scheme: scheme.withoutCalibration,
            secondMoments: Array(repeating: 1, count: shape.columns), isMissed: true))
        continue
      }
      parts.append(try part(of: rows, scheme, shape, statistics: expert, factor: nil, scales))
    }
    return parts
  }

  private static func part(
    of rows: Range<Int>, _ scheme: Scheme, _ shape: LayerShape, statistics: InputStatistics?,
    factor: HessianFactor?, _ scales: ChannelScales
  ) throws(CompressionError) -> LayerInputs {
    let moments = statistics?.secondMoments(dividedBy: scales.columns)
    guard let order = scheme.sweepOrder else {
      return LayerInputs(rows: rows, scheme: scheme, secondMoments: moments)
    }
    if let factor, factor.ordering == order, scales.columns == nil {
      return LayerInputs(rows: rows, scheme: scheme, secondMoments: moments, factor: factor)
    }
    guard let gram = statistics?.gram(dividedBy: scales.columns) else {
      throw CompressionError(
        layer: shape.name,
        reason: "what is known of its inputs is no Gram matrix, which "
          + "\(scheme.calibratedMethod) needs; calibrate first, an imatrix is not enough")
    }
    return LayerInputs(rows: rows, scheme: scheme, secondMoments: moments, gram: gram)
  }

  /// Whether rows can be compressed.
  var isReady: Bool { scheme.sweepOrder == nil || factor != nil }

  /// Share of the factor that is made, from 0 to 1.
  var progress: Double { isReady ? 1 : factorization?.progress ?? 0 }

  /// Makes some more of the factor.
  mutating func step() {
    guard !isReady, let order = scheme.sweepOrder, let gram else { return }
    var work = factorization ?? HessianFactorization(gram: gram, ordering: order)
    // Held in one place only while it works, so that nothing of it is copied.
    factorization = nil
    work.step()
    factor = work.finish()
    if factor == nil { factorization = work }
  }

  /// Lets go of the factor once it has served.
  mutating func dropFactor() { factor = nil }

  /// The same with a factor that was made of what these rows read; without it if it is not in the order of the sweep.
  func with(_ factor: HessianFactor) -> LayerInputs {
    var inputs = self
    if factor.ordering == scheme.sweepOrder { inputs.factor = factor }
    return inputs.ready
  }

  /// The same with its factor.
  var ready: LayerInputs {
    var inputs = self
    while !inputs.isReady { inputs.step() }
    return inputs
  }

  private static func flaw(
    _ scheme: Scheme, _ shape: LayerShape, _ statistics: InputStatistics?,
    _ factor: HessianFactor?, _ scales: ChannelScales
  ) -> String? {
    if let columns = scales.columns, columns.count != shape.columns {
      return "\(columns.count) scales do not fit \(shape.columns) input channels"
    }
    if let rows = scales.rows, rows.count != shape.rows {
      return "\(rows.count) scales do not fit \(shape.rows) output channels"
    }
    guard let statistics else {
      return scheme.calibrationNeed == .nothing
        ? nil : "\(scheme.calibratedMethod) needs to know the layer's inputs; calibrate first"
    }
    let known = [statistics] + statistics.experts.compactMap(\.self)
    if let other = known.first(where: { $0.columns != shape.columns })?.columns
      ?? factor.flatMap({ $0.columns == shape.columns ? nil : $0.columns })
    {
      return "it was calibrated for \(other) input channels, not \(shape.columns); "
        + "calibrate this model"
    }
    if !statistics.experts.isEmpty, statistics.experts.count != shape.count {
      return "it was calibrated for \(statistics.experts.count) experts, not \(shape.count); "
        + "calibrate this model"
    }
    return known.allSatisfy { $0.secondMoments.allSatisfy(\.isFinite) }
      ? nil : "calibration met a NaN or an infinity in its inputs"
  }
}

extension Scheme {
  /// The order in which this scheme sweeps a layer's columns; nil if it does not.
  ///
  /// SparseGPT goes as columns are stored: its patterns are of consecutive weights, and each block of columns gets its
  /// share of the zeros, so blocks should not be the important columns and the others.
  public var sweepOrder: HessianFactor.Order? {
    if sparsity?.method == .sparsegpt { return .stored }
    return quantization?.method == .gptq ? .falling : nil
  }

  /// The method that asks for calibration, as users call it.
  fileprivate var calibratedMethod: String {
    if let quantization, quantization.calibrationNeed == calibrationNeed {
      return quantization.calibrationNeed == .gram
        ? quantization.method.rawValue : "a weighted range"
    }
    return sparsity?.method.rawValue ?? ""
  }

  /// What becomes of weights whose inputs nobody has seen: they are rounded to nearest, and pruned by magnitude row by
  /// row, which is Wanda where all inputs weigh alike.
  fileprivate var withoutCalibration: Scheme {
    var scheme = self
    if scheme.quantization?.calibrationNeed == .gram { scheme.quantization?.method = .rtn }
    if scheme.quantization?.range == .weighted { scheme.quantization?.range = .mse }
    if let sparsity, sparsity.calibrationNeed > .nothing { scheme.sparsity?.method = .wanda }
    return scheme
  }
}
