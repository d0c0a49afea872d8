import Checkpoints
import Compression
import Engine
import Tensors

extension AppState {
  /// Changes the plan for the layers that the command names, or else for the marked ones or the one under the cursor.
  mutating func changePlan(_ command: Command) -> [Effect] {
    guard let model else {
      inform("No model is open; o opens one")
      return []
    }
    if command.action == .undo || command.action == .redo { return travel(command.action) }
    let said = PlanCommand(command)
    guard let targets = layers(of: said, in: model) else { return [] }
    switch command.action {
    case .bits: return setBits(said.value, targets)
    case .keep: return change("keep", targets) { _ in SchemeChange(keeps: true) }
    case .fewerBits: return step(-1, targets, model)
    case .moreBits: return step(1, targets, model)
    case .group: return said.value.map { setGroup($0, targets) } ?? ask(for: .group)
    case .method: return said.value.map { setMethod($0, targets) } ?? ask(for: .method)
    case .sparsity: return said.value.map { setSparsity($0, targets) } ?? ask(for: .sparsity)
    default: return []
    }
  }

  /// The layers that a command is for; nil with a notice where there are none.
  private mutating func layers(of command: PlanCommand, in model: OpenModel) -> [Int]? {
    guard let names = command.layers else {
      let targets = targets
      if targets.isEmpty { inform("No layer is chosen") }
      return targets.isEmpty ? nil : targets
    }
    let filter = LayerFilter(names).checked(on: model.layers)
    if let flaw = filter.flaw {
      refuse(flaw)
      return nil
    }
    let matches = filter.matches(in: model)
    let named = model.layers.indices.filter { matches[$0] }
    if named.isEmpty { refuse("No layer is called \"\(names)\"") }
    return named.isEmpty ? nil : named
  }

  /// Makes one undoable change: `change` says what each of the layers gets, nil for nothing.
  mutating func change(
    _ title: String, _ layers: [Int], _ change: (Int) -> SchemeChange?
  ) -> [Effect] {
    guard let model else { return [] }
    var groups: [(change: SchemeChange, layers: [Int])] = []
    for layer in layers {
      guard let wanted = change(layer) else { continue }
      if let place = groups.firstIndex(where: { $0.change == wanted }) {
        groups[place].layers.append(layer)
      } else {
        groups.append((wanted, [layer]))
      }
    }
    var plan = history.current
    for group in groups { plan = plan.applying(group.change, toLayers: group.layers, of: model) }
    let what = layers.count == 1 ? model.layers[layers[0]].name : "\(layers.count) layers"
    let effects = adopt(plan, title: title, on: what)
    if !effects.isEmpty { warnOfMissingCalibration(layers) }
    return effects
  }

  /// Makes `plan` the current one in one undoable change, if it fits the model.
  mutating func adopt(_ plan: Plan, title: String, on what: String) -> [Effect] {
    guard var model else { return [] }
    let isSameStructure = plan.structure == history.current.structure
    do throws(PlanError) {
      // A plan that prunes otherwise is for layers that the engine is yet to describe.
      if isSameStructure { try model.apply(plan) }
    } catch {
      refuse(error.layer.map { "\($0): \(error.reason)" } ?? error.reason)
      return []
    }
    guard model.schemes != self.model?.schemes || !isSameStructure else {
      inform("Nothing changes: \(title)")
      return []
    }
    let before = self.model?.plannedBytes ?? 0
    self.model = model
    if table.anchor != nil { table.endRange(in: model) }
    history.record(plan, change: "\(title) on \(what)")
    guard isSameStructure else {
      // How much smaller it is, the engine will tell.
      inform("\(title) on \(what)")
      return [.engine(.setPlan(plan))]
    }
    inform(
      "\(title) on \(what): \(Figures.totalBytes(before)) \(glyphs.arrow) "
        + "\(Figures.totalBytes(model.plannedBytes))")
    return [.engine(.setPlan(plan))]
  }

  private mutating func setBits(_ text: String?, _ layers: [Int]) -> [Effect] {
    guard let text else { return ask(for: .bits) }
    guard let bits = Int(text), QuantizationScheme.widths.contains(bits) else {
      refuse("Bits are 2 to 8, not \(text); 0 keeps layers as they are")
      return []
    }
    return quantize("\(bits) bit", layers) { _ in bits }
  }

  /// Gives layers a width; where the usual group does not divide their rows, also one that does.
  private mutating func quantize(
    _ title: String, _ layers: [Int], _ bits: (Int) -> Int?
  ) -> [Effect] {
    guard let model else { return [] }
    let plan = history.current
    return change(title, layers) { layer in
      guard let bits = bits(layer) else { return SchemeChange(keeps: true) }
      var change = SchemeChange(bits: bits)
      let columns = model.layers[layer].columns
      if columns % 256 != 0, model.schemes[layer].quantization == nil,
        !plan.fits(model.shapes[layer], with: change)
      {
        let fitting = GroupSize.validGroupSizes(columns: columns).last { $0 <= 64 }
        change.group = fitting.map(GroupSize.size) ?? .channel
      }
      return change
    }
  }

  /// One bit less or more; a layer that is kept steps down to 8, and 8 bits do not step up.
  private mutating func step(_ distance: Int, _ layers: [Int], _ model: OpenModel) -> [Effect] {
    func next(_ layer: Int) -> Int? {
      guard let bits = model.schemes[layer].quantization?.bits else {
        return distance < 0 ? QuantizationScheme.widths.upperBound : nil
      }
      return min(max(bits + distance, QuantizationScheme.widths.lowerBound), 8)
    }
    let movable = layers.filter { next($0) != model.schemes[$0].quantization?.bits }
    guard !movable.isEmpty else {
      inform(distance < 0 ? "2 bits are the least" : "8 bits are the most; 0 keeps layers")
      return []
    }
    return quantize(distance < 0 ? "one bit less" : "one bit more", movable, next)
  }

  private mutating func setGroup(_ text: String, _ layers: [Int]) -> [Effect] {
    let sizes = Completer(state: self).validGroupSizes
    let fitting = (sizes.map(String.init) + ["channel"]).joined(separator: ", ")
    guard let group = GroupSize(text), isOffered(group, among: sizes) else {
      refuse("A group of \(text) does not divide the rows of the chosen layers; \(fitting) do")
      return []
    }
    guard let quantized = quantized(layers) else { return [] }
    return change("group \(group)", quantized) { _ in SchemeChange(group: group) }
  }

  private func isOffered(_ group: GroupSize, among sizes: [Int]) -> Bool {
    switch group {
    case .channel: true
    case .size(let size): sizes.contains(size)
    }
  }

  private mutating func setMethod(_ text: String, _ layers: [Int]) -> [Effect] {
    guard let wanted = SchemeWords.method(text) else {
      let known = SchemeWords.methodWords.map(\.word).joined(separator: ", ")
      refuse("\"\(text)\" is no method; words are \(known)")
      return []
    }
    // A type brings its width along; other words are about layers that have one.
    let namesType = wanted.block != nil || wanted.float != nil
    guard let chosen = namesType ? layers : quantized(layers) else { return [] }
    return change("method \(text)", chosen) { _ in wanted }
  }

  private mutating func setSparsity(_ text: String, _ layers: [Int]) -> [Effect] {
    guard let words = SchemeWords.sparsity(text) else {
      refuse("\"\(text)\" is no sparsity; write 50%, 2:4 wanda, sparsegpt or none")
      return []
    }
    let schemes = model?.schemes ?? []
    let pruned = layers.filter { words.change(of: schemes[$0].sparsity) != nil }
    guard !pruned.isEmpty else {
      refuse("The chosen layers are not pruned; give a ratio or pattern too: 50% \(text)")
      return []
    }
    return change("sparsity \(text)", pruned) { layer in
      words.change(of: schemes[layer].sparsity).map { SchemeChange(sparsity: $0) }
    }
  }

  /// Those of the layers that have bits, without which there is no group and no method.
  private mutating func quantized(_ layers: [Int]) -> [Int]? {
    let quantized = layers.filter { model?.schemes[$0].quantization != nil }
    guard quantized.isEmpty else { return quantized }
    refuse("The chosen layers are kept as they are; set bits first (2 to 8)")
    return nil
  }

  /// Undoes or redoes a change.
  private mutating func travel(_ action: Action) -> [Effect] {
    let change = action == .undo ? history.undo() : history.redo()
    guard let change else {
      inform(action == .undo ? "Nothing to undo" : "Nothing to redo")
      return []
    }
    // Every version in the history was applied before, to this very model.
    try? model?.apply(history.current)
    if table.order != .natural, let model { table.rebuild(for: model) }
    inform(action == .undo ? "Undone: \(change)" : "Redone: \(change)")
    return [.engine(.setPlan(history.current))]
  }
}

extension Plan {
  /// Whether the plan with this change for the layer can be carried out on it.
  fileprivate func fits(_ layer: LayerShape, with change: SchemeChange) -> Bool {
    (try? applying(change, to: [layer.name]).schemes(for: [layer])) != nil
  }
}
