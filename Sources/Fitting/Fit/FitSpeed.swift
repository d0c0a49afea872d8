import Checkpoints

/// What a step spends its time on.
public enum FitBound: String, Codable, Hashable, Sendable, CaseIterable {
  case weights = "reading weights"
  case cache = "reading keys and values"
  case arithmetic
  case overhead = "steps between products"
}

/// Predicted speeds, by a roofline for each layer.
///
/// A layer is as slow as reading its weights or multiplying with them is, whichever takes longer (Williams, Waterman and
/// Patterson 2009).
public struct FitSpeed: Hashable, Sendable {
  /// Layers of one role.
  public struct RoleTime: Hashable, Sendable {
    public let role: String
    public let layers: Int
    public let bytes: Int
    /// Of a decode step.
    public let seconds: Double
  }

  /// Seconds of one step, by what they go to.
  public struct Step: Hashable, Sendable {
    public internal(set) var seconds: [FitBound: Double] = [:]

    public var total: Double { seconds.values.reduce(0, +) }
    /// What takes most of it.
    public var bound: FitBound {
      FitBound.allCases.max { seconds[$0, default: 0] < seconds[$1, default: 0] } ?? .weights
    }

    mutating func add(_ time: Double, to bound: FitBound) { seconds[bound, default: 0] += time }
  }

  /// Tokens of the prompt that ``prefill`` is of.
  public let promptTokens: Int
  /// One prompt.
  public let prefill: Step
  /// A token of every sequence, when the first one follows on a short prompt.
  public let decodeAtStart: Step
  /// The same when sequences are as long as the context.
  public let decodeAtEnd: Step
  public let roles: [RoleTime]
  private let batch: Int

  public var prefillRate: Double { Double(promptTokens) / prefill.total }
  /// Tokens a second of all sequences together.
  public var rateAtStart: Double { Double(batch) / decodeAtStart.total }
  public var rateAtEnd: Double { Double(batch) / decodeAtEnd.total }

  init(
    of model: ServedModel, for request: FitRequest, in engine: ServingEngine, on machine: Machine
  ) {
    batch = request.batch
    promptTokens = min(512, request.context)
    let roofline = Roofline(model: model, request: request, engine: engine, machine: machine)
    prefill = roofline.prefill(tokens: promptTokens)
    decodeAtStart = roofline.decode(position: promptTokens)
    decodeAtEnd = roofline.decode(position: request.context)
    roles = roofline.roles()
  }
}

/// The times that a machine is expected to take for parts of a model.
private struct Roofline {
  let model: ServedModel
  let request: FitRequest
  let engine: ServingEngine
  let machine: Machine

  /// Reading or multiplying a layer with so many tokens.
  private func time(of layer: ServedModel.Layer, tokens: Int) -> (seconds: Double, bound: FitBound)
  {
    guard !layer.isLookedUp else { return (0, .weights) }
    let rate = machine.rate(forBits: layer.bits)
    // Of experts those are read that some token chooses.
    var missed = layer.activeShare < 1 ? 1.0 : 0
    if layer.activeShare < 1 { for _ in 0..<min(tokens, 256) { missed *= 1 - layer.activeShare } }
    let reading = Double(layer.bytes) * (1 - missed) / rate.bytes
    let computing =
      2 * Double(layer.parameters) * layer.activeShare * Double(tokens) / rate.operations
    return reading >= computing ? (reading, .weights) : (computing, .arithmetic)
  }

  func decode(position: Int) -> FitSpeed.Step {
    var step = FitSpeed.Step()
    for layer in model.layers {
      let (seconds, bound) = time(of: layer, tokens: request.batch)
      step.add(seconds, to: bound)
    }
    let wide = machine.rate(forBits: 16)
    for block in model.facts?.blocks ?? [] {
      let seen = min(position, block.window ?? position)
      let values = Double(block.valuesAPosition) * Double(seen)
      let bytes = values * request.cache.bytes(in: engine) + Double(8 * block.stateValues)
      let operations = 4 * Double(block.queryWidth) * Double(seen)
      let (reading, computing) = (bytes / machine.cacheRate, operations / wide.operations)
      step.add(
        max(reading, computing) * Double(request.batch),
        to: reading >= computing ? .cache : .arithmetic)
    }
    step.add(machine.secondsABlock * Double(blockCount), to: .overhead)
    return step
  }

  func prefill(tokens: Int) -> FitSpeed.Step {
    var step = FitSpeed.Step()
    for layer in model.layers {
      let (seconds, bound) = time(of: layer, tokens: layer.isHead ? 1 : tokens)
      step.add(seconds, to: bound)
    }
    let wide = machine.rate(forBits: 16)
    for block in model.facts?.blocks ?? [] {
      // Each position sees those before it, up to the window.
      let window = min(block.window ?? tokens, tokens)
      let pairs = window * (window + 1) / 2 + (tokens - window) * window
      step.add(4 * Double(block.queryWidth) * Double(pairs) / wide.operations, to: .arithmetic)
    }
    step.add(machine.secondsABlock * Double(blockCount), to: .overhead)
    return step
  }

  private var blockCount: Int { model.facts?.blocks.count ?? 0 }

  func roles() -> [FitSpeed.RoleTime] {
    var order: [String] = []
    var found: [String: (layers: Int, bytes: Int, seconds: Double)] = [:]
    for layer in model.layers {
      if found[layer.role] == nil { order.append(layer.role) }
      let known = found[layer.role] ?? (0, 0, 0)
      found[layer.role] = (
        known.layers + 1, known.bytes + layer.bytes,
        known.seconds + time(of: layer, tokens: request.batch).seconds
      )
    }
    return order.map { role in
      let sums = found[role] ?? (0, 0, 0)
      return FitSpeed.RoleTime(
        role: role, layers: sums.layers, bytes: sums.bytes, seconds: sums.seconds)
    }
  }
}
