import Checkpoints
import Engine
import Fitting
import Tensors
import Terminal

extension AppState {
  /// Shows the Hardware screen; the first time machines are read and this one is measured.
  mutating func showHardware() -> [Effect] {
    _ = show(.hardware)
    guard hardware.this == nil, !hardware.isMeasuring else { return [] }
    return measureMachine(readsFiles: hardware.others == nil)
  }

  private mutating func measureMachine(readsFiles: Bool) -> [Effect] {
    hardware.isMeasuring = true
    hardware.wasBusy = jobs.front != nil
    return [.measureMachine(readsFiles: readsFiles)]
  }

  /// Changes what is to be served by a step: half or twice the context, half or twice the sequences.
  mutating func changeFit(_ action: Action) -> [Effect] {
    var request = hardware.request
    switch action {
    case .left: request.context = min(request.context, max(256, request.context / 2))
    case .right: request.context = max(request.context, min(longestContext, request.context * 2))
    case .smaller: request.batch = max(1, request.batch / 2)
    case .larger: request.batch = min(FitRequest.batchLimit, request.batch * 2)
    case .smallest: request.batch = 1
    default: request.context = longestContext
    }
    hardware.request = request
    return []
  }

  /// The model's own context, as far as it is known.
  private var longestContext: Int {
    let known = model?.description.serving?.contextLength ?? 0
    return known > 0 ? known : FitRequest.contextLimit
  }

  /// Begins with a context that the model has.
  mutating func fitRequest(to model: ModelDescription) {
    guard let most = model.serving?.contextLength, most > 0 else { return }
    hardware.request.context = min(hardware.request.context, most)
  }

  /// Takes on a context, a batch or a type of keys and values, or measures anew.
  mutating func changeFit(_ command: Command) -> [Effect] {
    switch command.action {
    case .context:
      guard let text = command.argument else { return ask(for: .context) }
      guard let tokens = TokenCount.tokens(text) else {
        refuse("\"\(text)\" is no number of tokens; write 32k or 5000")
        return []
      }
      hardware.request.context = tokens
    case .batch:
      guard let text = command.argument else { return ask(for: .batch) }
      guard let count = Int(text), (1...FitRequest.batchLimit).contains(count) else {
        refuse("\"\(text)\" is no number of sequences from 1 to \(FitRequest.batchLimit)")
        return []
      }
      hardware.request.batch = count
    case .kv:
      let all: [CacheType] = [.f16, .int8, .f32]
      let place = all.firstIndex(of: hardware.request.cache) ?? 0
      guard
        let cache = command.argument.map({ CacheType(rawValue: $0) })
          ?? all[(place + 1) % all.count]
      else {
        refuse("Keys and values are f32, f16 or int8")
        return []
      }
      hardware.request.cache = cache
    default:
      guard !hardware.isMeasuring else { return [] }
      return measureMachine(readsFiles: true)
    }
    return screen == .hardware ? [] : showHardware()
  }

  mutating func take(_ event: MachineEvent) -> [Effect] {
    hardware.accept(event)
    switch event {
    case .read(_, let flaw): if let flaw { warn(flaw) }
    case .measured:
      hardware.wasBusy = hardware.wasBusy || jobs.front != nil
      if hardware.wasBusy { inform("This machine was measured while a job ran; r measures again") }
    }
    moveInHardware(by: 0)
    return []
  }

  mutating func moveInHardware(by distance: Int) {
    let row = max(0, min(hardware.cursor + distance, hardware.rowCount - 1))
    if row != hardware.cursor { hardware.scroll = 0 }
    hardware.cursor = row
  }

  /// Scrolls the figures of the machine under the cursor.
  mutating func scrollHardware(by lines: Int) {
    let layout = HardwareLayout(
      body: ScreenLayout(self, size: size).body, count: hardware.rowCount)
    let count = FitRows(self, columns: layout.detail.columns).rows.count
    hardware.scroll = max(0, min(hardware.scroll + lines, count - layout.detail.rows))
  }

  // MARK: Budgets

  /// Goes to the Budget screen with the bytes that the machine under the cursor leaves for weights.
  mutating func solveForMachine() -> [Effect] {
    guard let machine = hardware.machine(hardware.cursor) else {
      inform("This machine is being measured")
      return []
    }
    return solve(
      for: FitBudget(memory: machine.memory - machine.reserved, request: hardware.request))
  }

  /// Solves for the bytes that a budget of memory leaves for weights.
  mutating func solve(for budget: FitBudget) -> [Effect] {
    guard let served = servedModel else {
      inform("No model is open; o opens one")
      return []
    }
    let context = TokenCount.text(budget.request.context)
    guard let bytes = Fit.weightBudget(budget, for: served, in: ServingEngine(target)) else {
      refuse("What this model keeps of a sequence is not known; give bytes of weights instead")
      return []
    }
    guard bytes > 0 else {
      refuse("Keys and values of \(context) tokens alone do not fit")
      return []
    }
    _ = show(.budget)
    hardware.request = budget.request
    guard isMeasured() else { return [] }
    inform(
      "\(Figures.totalBytes(budget.memory)) with \(context) of context leave "
        + "\(Figures.totalBytes(bytes)) for weights")
    return solve(for: .bytes(bytes))
  }
}
