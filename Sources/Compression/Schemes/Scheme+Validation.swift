import Tensors

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

  /// What is wrong with the method for these codes and this sparsity; nil if nothing is.
  func flaw(ofMethodWith sparsity: SparsityScheme?) -> String? {
    if let float { return flaw(of: float, sparsity) }
    if method == .hqq, isSymmetric {
      return "hqq looks for zero points, which symmetric codes do not have; "
        + "ask for asymmetric ones, Q4_1 or Q5_1"
    }
    if method == .hqq, block?.isSuperBlock == true {
      return "hqq has no zero points to look for in \(block?.rawValue ?? "")'s blocks; "
        + "what it can do: Q4_1, Q5_1, asymmetric codes"
    }
    if sparsity != nil, let block, !block.holdsZero {
      let exact = BlockType.allCases.filter(\.holdsZero).map(\.rawValue).joined(separator: ", ")
      return "\(block.rawValue) has no code for an exact zero, so it cannot be pruned; "
        + "what can: \(exact)"
    }
    return nil
  }
}

extension QuantizationScheme {
  private func flaw(of float: FloatFormat, _ sparsity: SparsityScheme?) -> String? {
    if method == .hqq {
      return "hqq looks for zero points, which \(float.rawValue) does not have; "
        + "what it can do: rtn, awq" + (float.bits == 4 ? ", gptq" : "")
    }
    guard float.bits == 8 else { return nil }
    if method == .gptq || sparsity?.method == .sparsegpt {
      return "\(float.rawValue) is only rounded to nearest; what it can do: rtn, awq, "
        + "zeros by magnitude or wanda"
    }
    if range != .minMax {
      return "\(float.rawValue) is about as fine at any scale, so there is no range to search; "
        + "what it can do: minmax"
    }
    return nil
  }

  /// What is wrong with rows of so many weights; nil if nothing is, or groups are plain.
  func flaw(ofRowsOf columns: Int) -> String? {
    let (name, size, fitting): (String, Int, [String])
    if let block {
      (name, size) = (block.rawValue, block.blockSize)
      fitting = BlockType.fitting(columns: columns).map(\.rawValue)
    } else if let float, float.needsWholeGroups {
      (name, size) = (float.rawValue, float.groupSize ?? columns)
      fitting = FloatFormat.fitting(columns: columns).map(\.rawValue)
    } else {
      return nil
    }
    guard columns % size != 0 else { return nil }
    return "rows of \(columns) weights are no whole number of \(name)'s blocks of \(size); "
      + "what fits: " + (fitting.isEmpty ? "no block type" : fitting.joined(separator: ", "))
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
      if let flaw = quantization.flaw(ofMethodWith: sparsity) { return flaw }
      if let flaw = quantization.flaw(ofRowsOf: shape.columns) { return flaw }
      guard quantization.hasFreeGroups else { return patternFlaw(for: shape) }
      let sizes = GroupSize.validGroupSizes(columns: shape.columns)
      if case .size(let size) = quantization.group, !sizes.contains(size) {
        let fitting = sizes.map(String.init) + ["channel"]
        return "a group of \(size) does not fit rows of \(shape.columns) weights; "
          + "what fits: \(fitting.joined(separator: ", "))"
      }
    }
    return patternFlaw(for: shape)
  }

  private func patternFlaw(for shape: LayerShape) -> String? {
    if let pattern = sparsity?.pattern {
      if let flaw = pattern.flaw { return flaw }
      if case .structured(let kept, let of) = pattern, shape.columns % of != 0 {
        return "\(kept):\(of) needs rows of a multiple of \(of) weights, not \(shape.columns)"
      }
    }
    return nil
  }
}
