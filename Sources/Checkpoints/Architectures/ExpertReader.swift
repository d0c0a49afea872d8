/// Reads what a model's settings say of a block's experts.
struct ExpertReader {
  private let settings: ModelSettings
  private let architecture: Architecture
  private let rule: Architecture.ExpertRule
  private let tensors: TensorTable
  /// Whether the checkpoint holds gates and ups as one tensor.
  private let isFused: Bool

  init(
    _ settings: ModelSettings, _ architecture: Architecture, _ rule: Architecture.ExpertRule,
    tensors: TensorTable, isFused: Bool
  ) {
    self.settings = settings
    self.architecture = architecture
    self.rule = rule
    self.tensors = tensors
    self.isFused = isFused
  }

  /// - Throws: ``CheckpointError`` for settings that are missing or make no sense.
  func experts(
    ofBlock block: Int, _ activation: ActivationKind
  ) throws(CheckpointError) -> ExpertFacts {
    let count = try settings.size(.expertCount)
    let chosen = try settings.size(.chosenCount)
    for name in SettingKey.chosenCount.config {
      // Of several words for it, each family reads its own.
      guard let stated = try settings.optionalSize(SettingKey(name, gguf: nil)), stated != chosen
      else { continue }
      let others = SettingKey.chosenCount.config.filter { $0 != name }.joined(separator: " or ")
      throw settings.error("\(name) is \(stated), and \(others) is \(chosen)")
    }
    guard chosen <= count else {
      throw settings.error("\(chosen) of \(count) experts cannot be chosen")
    }
    let innerKey =
      rule.usesDenseInnerSize && !settings.has(.expertInnerSize)
      ? SettingKey.innerSize : .expertInnerSize
    let innerSize = try settings.size(innerKey)
    let hasChoiceBias =
      settings.gguf == nil
      ? rule.hasChoiceBias
      : tensors["blk.\(block).\(Part.choiceBias.ggufName)\(Part.choiceBias.suffix.gguf)"] != nil
    let scale = rule.scalesWeights ? try weightScale() : 1
    guard scale > 0 else {
      throw settings.error("the weights of experts are multiplied by \(scale)")
    }
    return ExpertFacts(
      count: count, chosenCount: chosen, innerSize: innerSize, activation: activation,
      router: try router(), isFused: isFused,
      sharedInnerSize: try sharedInnerSize(innerSize: innerSize),
      fusesShared: rule.fusesShared && settings.gguf == nil,
      weighsShared: rule.hasWeighedShared, weightScale: Float(scale),
      hasChoiceBias: hasChoiceBias, groups: try groups(of: count, choosing: chosen))
  }

  /// What weights are multiplied by; 0 is nothing in GGUF, and a zero in config.json.
  private func weightScale() throws(CheckpointError) -> Double {
    if let scale = try settings.optionalNumber(.weightScale) { return scale }
    return settings.gguf == nil && settings.has(.weightScale) ? 0 : 1
  }

  private func router() throws(CheckpointError) -> RouterKind {
    guard let header = settings.gguf else {
      guard let normalizing = rule.normalizing else { return rule.router }
      return rule.router.ofChosen(
        try settings.flag(normalizing.flag, standard: normalizing.standard))
    }
    guard rule.readsRouterInGGUF else { return rule.router }
    let prefix = architecture.ggufName + "."
    let isOfChosen = header.value(prefix + "expert_weights_norm") == .bool(true)
    switch header.value(prefix + "expert_gating_func") {
    case .none, .integer(0): return (rule.ggufRouter ?? rule.router).ofChosen(isOfChosen)
    case .integer(1): return RouterKind.softmax.ofChosen(isOfChosen)
    case .integer(2): return RouterKind.sigmoid.ofChosen(isOfChosen)
    case let other?:
      throw header.error("\(prefix)expert_gating_func is \(other.text), which is not supported")
    }
  }

  /// nil where experts are chosen among all.
  private func groups(
    of count: Int, choosing chosenExperts: Int
  ) throws(CheckpointError) -> ExpertGroups? {
    guard let compared = rule.comparedInGroup else { return nil }
    if let method = rule.groupingMethod, settings.gguf == nil {
      let word = try settings.text("topk_method") ?? "greedy"
      if word == "greedy" { return nil }
      guard word == method else {
        throw settings.error("topk_method is \"\(word)\", which is not supported")
      }
    }
    let groups = try settings.optionalSize(.groupCount) ?? 1
    guard groups > 1 else { return nil }
    let chosen = try settings.size(.chosenGroupCount)
    // llama.cpp compares groups by their two best experts in all models.
    let best = settings.gguf == nil ? compared : 2
    guard count % groups == 0, chosen <= groups, count / groups >= best,
      chosenExperts <= count / groups * chosen
    else {
      throw settings.error(
        "\(chosenExperts) of \(count) experts cannot be chosen from \(chosen) of \(groups) groups")
    }
    return ExpertGroups(count: groups, chosenCount: chosen, comparedCount: best)
  }

  /// GGUF files of the first converters leave the shared expert's size to its tensors.
  private func sharedInnerSize(innerSize: Int) throws(CheckpointError) -> Int? {
    if rule.hasShared {
      return try settings.optionalSize(.sharedCount).map { $0 * innerSize }
    }
    if rule.fusesShared { return try settings.optionalSize(.fusedSharedInnerSize) }
    guard rule.hasWeighedShared else { return nil }
    let rows = settings.gguf.flatMap { _ in tensors["blk.0.ffn_up_shexp.weight"]?.shape.first }
    return try settings.size(.sharedInnerSize, standard: rows)
  }
}
