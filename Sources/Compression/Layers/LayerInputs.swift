import Tensors

/// What compressing a layer knows of its inputs, as its rescaled weights see them.
struct LayerInputs: Sendable {
  /// E[x^2] of each input channel; nil without calibration.
  let secondMoments: [Float]?
  /// What a sweep works with; nil until ``factorization`` has made it, or if nothing is swept.
  var factor: HessianFactor?
  /// Makes the factor, where one is needed and none was given.
  var factorization: HessianFactorization?

  /// Checks that what is known is what a scheme needs.
  ///
  /// Statistics and factor are of the inputs in the original model; a factor is used if it has the order
  /// that the scheme sweeps in.
  ///
  /// - Throws: ``CompressionError`` that says what to calibrate.
  init(
    for scheme: Scheme, shape: LayerShape, statistics: InputStatistics?, factor: HessianFactor?,
    scales: ChannelScales
  ) throws(CompressionError) {
    let reason = Self.flaw(scheme, shape, statistics, factor, scales)
    if let reason { throw CompressionError(layer: shape.name, reason: reason) }
    secondMoments = statistics?.secondMoments(dividedBy: scales.columns)
    guard let ordering = scheme.sweepOrder else { return }
    if let factor, factor.ordering == ordering, scales.columns == nil {
      self.factor = factor
    } else if let gram = statistics?.gram(dividedBy: scales.columns) {
      factorization = HessianFactorization(gram: gram, ordering: ordering)
    } else {
      throw CompressionError(
        layer: shape.name,
        reason: "what is known of its inputs is no Gram matrix, which "
          + "\(scheme.calibratedMethod) needs; calibrate first, an imatrix is not enough")
    }
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
    guard statistics.columns == shape.columns, factor.map({ $0.columns == shape.columns }) ?? true
    else {
      return "it was calibrated for \(statistics.columns) input channels, not \(shape.columns); "
        + "calibrate this model"
    }
    return statistics.secondMoments.allSatisfy(\.isFinite)
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
}
