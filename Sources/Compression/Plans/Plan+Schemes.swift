import Tensors

extension SchemeChange {
  /// The change after which a layer has exactly this scheme, whatever rules said before.
  public init(exactly scheme: Scheme) {
    let quantization = scheme.quantization
    let parts = quantization.flatMap { $0.hasFreeGroups ? $0 : nil }
    self.init(
      keeps: true, block: quantization?.block, float: quantization?.float, bits: parts?.bits,
      group: parts?.group, isSymmetric: parts?.isSymmetric, range: quantization?.range,
      method: quantization?.method, sparsity: scheme.sparsity.map(SparsityChange.scheme))
  }
}

extension Plan {
  /// A plan that gives layers exactly these schemes: one rule a scheme, the one of most layers first.
  ///
  /// - Parameters:
  ///   - schemes: By name of the layer; layers that are missing stay as they are.
  ///   - layers: All layers of the model.
  public init(schemes: [String: Scheme], for layers: [LayerShape]) {
    let named = layers.map(\.name).filter { schemes[$0].map { !$0.keepsLayer } ?? false }
    let groups = Dictionary(grouping: named) { schemes[$0] ?? .keep }
    let places = Dictionary(
      named.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let ordered = groups.sorted { left, right in
      left.value.count != right.value.count
        ? left.value.count > right.value.count
        : (places[left.value[0]] ?? 0) < (places[right.value[0]] ?? 0)
    }
    self.init(
      rules: ordered.map { scheme, names in
        var change = SchemeChange(exactly: scheme)
        // Each layer is named by one rule, so that there is nothing to undo.
        change.keeps = nil
        return PlanRule(layers: names.map(LayerPattern.exact), change: change)
      })
  }
}
