extension GroupSize {
  /// The group sizes that Vise offers: the powers of two that packed kernels and servers share.
  public static let sizes = [16, 32, 64, 128, 256]

  /// The sizes among ``sizes`` that divide a row of `columns` weights evenly.
  public static func validGroupSizes(columns: Int) -> [Int] {
    sizes.filter { columns > 0 && columns % $0 == 0 }
  }
}

extension SparsityPattern {
  /// The most weights that a kept-of-so-many pattern spans.
  public static let widestSpan = 32

  /// What is wrong with the pattern itself, whatever the layer; nil if nothing is.
  var flaw: String? {
    switch self {
    case .unstructured(let ratio):
      ratio > 0 && ratio < 1 ? nil : "a sparsity ratio lies between 0 and 1, not \(ratio)"
    case .structured(let kept, let of):
      kept >= 1 && kept < of && of <= Self.widestSpan
        ? nil
        : "a pattern keeps n of every m weights, 1 <= n < m <= \(Self.widestSpan), not \(kept):\(of)"
    }
  }
}

extension QuantizationScheme {
  /// What is wrong with the width, whatever the layer; nil if nothing is.
  static func flaw(ofBits bits: Int) -> String? {
    widths.contains(bits)
      ? nil
      : "bits are \(widths.lowerBound) to \(widths.upperBound), not \(bits); "
        + "`keep: true` leaves a layer as it is"
  }
}

extension Scheme {
  /// Checks that a layer of this shape can be compressed so.
  ///
  /// - Throws: ``PlanError`` that names the layer and says which settings would fit.
  public func validated(for shape: LayerShape) throws(PlanError) {
    if let flaw = flaw(for: shape) { throw PlanError(layer: shape.name, reason: flaw) }
  }

  private func flaw(for shape: LayerShape) -> String? {
    if let quantization = quantization {
      if let flaw = QuantizationScheme.flaw(ofBits: quantization.bits) { return flaw }
      let sizes = GroupSize.validGroupSizes(columns: shape.columns)
      if case .size(let size) = quantization.group, !sizes.contains(size) {
        let fitting = sizes.map(String.init) + ["channel"]
        return "a group of \(size) does not fit rows of \(shape.columns) weights; "
          + "what fits: \(fitting.joined(separator: ", "))"
      }
    }
    if let pattern = sparsity?.pattern {
      if let flaw = pattern.flaw { return flaw }
      if case .structured(let kept, let of) = pattern, shape.columns % of != 0 {
        return "\(kept):\(of) needs rows of a multiple of \(of) weights, not \(shape.columns)"
      }
    }
    return nil
  }
}
