import Tensors

extension QuantizationGrid {
  /// The grid of a scheme for some rows of a layer.
  ///
  /// - Parameters:
  ///   - rows: finite weights; whole rows of the layer.
  ///   - scheme: valid for the layer.
  ///   - weights: second moments of the input channels, one a column; used by weighted ranges only.
  ///   - scaleType: F16 or BF16; block types have scales of their own.
  public init(
    fitting rows: Matrix, scheme: QuantizationScheme, weights: [Float]?, scaleType: ElementType
  ) {
    let fit = RangeFit(scheme.range)
    let importance = scheme.range == .weighted ? weights : nil
    if let block = scheme.block {
      self.init(fitting: rows, type: block.elementType, fit: fit, importance: importance)
    } else {
      self.init(
        fitting: rows, bits: scheme.bits, groupSize: scheme.group.weights(inRowOf: rows.columns),
        isSymmetric: scheme.isSymmetric, fit: fit, importance: importance, scaleType: scaleType)
    }
    if scheme.method == .hqq { self = withHalfQuadraticZeros(for: rows) }
  }
}

extension RangeFit {
  /// How a scheme's ranges are found, whatever weights their errors.
  init(_ search: RangeSearch) { self = search == .minMax ? .extremes : .leastError }
}
