extension Scheme {
  /// The scheme in a few characters: `4 bit g64 sym`, `2:4 50 %`, both, or `keep`.
  public var summary: String { summary(quantization?.summary) }

  /// The same where there is little room: without the search of ranges.
  public var shortSummary: String { summary(quantization?.shortSummary) }

  private func summary(_ quantization: String?) -> String {
    let parts = [quantization, sparsity?.pattern.summary].compactMap { $0 }
    return parts.isEmpty ? "keep" : parts.joined(separator: ", ")
  }
}

extension QuantizationScheme {
  /// For example `4 bit g64 sym`, `8 bit channel asym mse`, `Q4_K gptq weighted`, or `NVFP4 mse`.
  public var summary: String {
    range == .minMax ? shortSummary : "\(shortSummary) \(range.rawValue)"
  }

  /// The same without the search of ranges.
  public var shortSummary: String {
    let how = method == .rtn ? "" : " \(method.rawValue)"
    if let typeName { return typeName + how }
    let groups =
      switch group {
      case .channel: "channel"
      case .size(let size): "g\(size)"
      }
    return "\(bits) bit \(groups) \(isSymmetric ? "sym" : "asym")\(how)"
  }
}

extension SparsityPattern {
  /// For example `2:4 50 %`, or `30 %`.
  public var summary: String {
    let tenths = (ratio * 1000).rounded() / 10
    let percent =
      tenths == tenths.rounded() && abs(tenths) < 1e6 ? "\(Int(tenths)) %" : "\(tenths) %"
    if case .structured(let kept, let of) = self { return "\(kept):\(of) \(percent)" }
    return percent
  }
}
