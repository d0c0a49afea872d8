import Checkpoints

/// Whether a model under a plan fits a machine, how fast it is there, and what it costs.
public struct Fit: Hashable, Sendable {
  public let machine: Machine
  public let engine: ServingEngine
  public let request: FitRequest
  public let memory: FitMemory
  public let speed: FitSpeed
  let model: ServedModel

  public init(
    of model: ServedModel, on machine: Machine, for request: FitRequest,
    in engine: ServingEngine
  ) {
    self.model = model
    self.machine = machine
    self.engine = engine
    self.request = request
    memory = FitMemory(of: model, for: request, in: engine, reserved: machine.reserved)
    speed = FitSpeed(of: model, for: request, in: engine, on: machine)
  }

  /// Bytes that are left of the machine's memory; less than zero where it does not fit.
  public var left: Int { machine.memory - memory.total }
  public var fits: Bool { left >= 0 }

  /// Bytes that weights may take beside the rest; 0 where there is no room for any.
  public var weightBudget: Int { max(0, machine.memory - memory.besideWeights) }

  /// The longest context that fits, in tokens, as far as the model goes; nil where not even one token does.
  public var largestContext: Int? {
    guard let facts = model.facts else { return nil }
    let most = facts.contextLength > 0 ? facts.contextLength : FitRequest.contextLimit
    guard fits(context: 1) else { return nil }
    if fits(context: most) { return most }
    var (fitting, failing) = (1, most)
    while failing - fitting > 1 {
      let middle = (fitting + failing) / 2
      if fits(context: middle) { fitting = middle } else { failing = middle }
    }
    return fitting
  }

  private func fits(context: Int) -> Bool {
    var request = request
    request.context = context
    let memory = FitMemory(of: model, for: request, in: engine, reserved: machine.reserved)
    return memory.total <= machine.memory
  }

  /// Joules that a generated token takes at the stated power; nil without one.
  public var joulesAToken: Double? { machine.watts.map { $0 / speed.rateAtStart } }

  /// USD for a million generated tokens at the stated price; nil without one.
  public var costAMillion: Double? {
    machine.price.map { $0 / 3600 / speed.rateAtStart * 1e6 }
  }

  /// What a budget of memory leaves for the weights of a model; nil where what it keeps of a sequence is not known.
  public static func weightBudget(
    _ budget: FitBudget, for model: ServedModel, in engine: ServingEngine
  ) -> Int? {
    guard model.facts != nil else { return nil }
    let memory = FitMemory(of: model, for: budget.request, in: engine, reserved: 0)
    return max(0, budget.memory - memory.besideWeights)
  }
}
