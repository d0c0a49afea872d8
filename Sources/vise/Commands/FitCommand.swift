import ArgumentParser
import Checkpoints
import Compression
import Engine
import Export
import Fitting
import Tensors
import Text

/// `vise fit`: whether a model under a plan fits a machine, how fast it is there, and what it costs.
struct FitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Says whether a model fits a machine, how fast it is there, and what it costs.",
    discussion: """
      Each figure comes with its formula; docs/hardware.md says how far predictions were off. This machine is \
      measured in about a second; others are files of Machines, and yours in \
      $XDG_CONFIG_HOME/vise/machines.

      --json: name, target, context, batch, kv, machines[] of machine, memory, needed, weights, \
      active_weights (what one token is multiplied with), keys_and_values (null where not known), states, \
      working, reserved, left, fits, largest_context, room_for_weights, prompt_tokens_per_second, tokens_per_second, tokens_per_second_at_context, \
      bound_by, joules_per_token, usd_per_million_tokens, lines[] of name, value, how; roles[] of role, layers, \
      bytes, milliseconds.
      """)

  @OptionGroup var model: ModelArgument

  @Option(
    help: "A plan file; without it, all layers stay as they are.",
    completion: .file(extensions: ["yaml", "yml"]))
  var plan: String?

  @Option(
    help: "Who serves it: transformers, vllm, vllm-cpu or llama.cpp; without it, Vise itself.")
  var target: ExportTarget?

  @Option(help: "A machine's name, the path of its file, `this`, or `all`.")
  var machine = "this"

  @OptionGroup var options: FitOptions

  @Option(help: "Watts while it serves, for energy; without it what the machine's file says.")
  var watts: Double?

  @Option(help: "USD an hour, for the cost; without it what the machine's file says.")
  var price: Double?

  @Flag(help: "Prints JSON.")
  var json = false

  func validate() throws {
    for number in [watts, price].compactMap({ $0 }) where !number.isFinite || number < 0 {
      throw ValidationError("--watts and --price are numbers from 0 on.")
    }
  }

  func run() throws {
    let machines = try chosenMachines().map { machine in
      var machine = machine
      machine.watts = watts ?? machine.watts
      machine.price = price ?? machine.price
      return machine
    }
    let session = EngineSession()
    defer { session.close() }
    let opened = try session.open(model.path)
    let served = try session.servedModel(opened, plan: plan, target: target)
    let request = options.request(for: opened)
    let fits = machines.map {
      Fit(of: served, on: $0, for: request, in: ServingEngine(target))
    }
    if json {
      try JSONOutput.write(FitResult(served, fits: fits, target: target, request))
    } else {
      OutputStream.standard.write(text(of: fits, served, request))
    }
  }

  private func chosenMachines() throws(CommandFailure) -> [Machine] {
    guard machine == "all" else { return [try FitOptions.machine(named: machine)] }
    let (machines, errors) = MachineLibrary.standard().all()
    for error in errors { OutputStream.error.writeLine("vise: warning: \(error)") }
    return [MachineProbe.run()] + machines
  }

  private func text(of fits: [Fit], _ served: ServedModel, _ request: FitRequest) -> String {
    let batch = request.batch > 1 ? ", \(request.batch) sequences" : ""
    let who = target.map { "for \($0.rawValue)" } ?? "in Vise"
    let heading =
      "\(served.name) \(who), context \(TokenCount.text(request.context))\(batch), keys and values "
      + "\(request.cache.rawValue)"
    guard fits.count == 1, let fit = fits.first else {
      return "\(heading)\n\n\(Self.table(of: fits))"
    }
    let cores = fit.machine.cores.map { ", \($0) processors" } ?? ""
    return
      "\(heading)\non \(fit.machine.name)\(cores)\n\n\(Self.lines(of: fit))\n\(Self.roles(of: fit))"
      + fit.machine.sources.map { "source: \($0)\n" }.joined()
  }

  private static func lines(of fit: Fit) -> String {
    var table = TextTable(["", "", "how"], words: [0, 2])
    for line in fit.lines { table.add([line.name, line.value, line.how]) }
    return table.text
  }

  private static func roles(of fit: Fit) -> String {
    var table = TextTable(["layers", "count", "bytes", "ms a step"])
    for role in fit.speed.roles {
      table.add([
        role.role, "\(role.layers)", ByteText.text(role.bytes),
        (role.seconds * 1000).significant(3),
      ])
    }
    return table.text
  }

  private static func table(of fits: [Fit]) -> String {
    var table = TextTable(
      [
        "machine", "memory", "needed", "left", "context", "prompt tok/s", "tok/s", "bound by",
        "J/token", "USD/M",
      ], words: [0, 7])
    for fit in fits {
      table.add([
        fit.machine.id, ByteText.text(fit.machine.memory), ByteText.text(fit.memory.total),
        ByteText.text(fit.left), fit.largestContext.map { "\($0)" } ?? "none",
        fit.fits ? fit.speed.prefillRate.significant(3) : "–",
        fit.fits ? fit.speed.rateAtStart.significant(3) : "–",
        fit.fits ? fit.speed.decodeAtStart.bound.rawValue : "too little memory",
        fit.joulesAToken.map { $0.significant(2) } ?? "–",
        fit.costAMillion.map { $0.significant(2) } ?? "–",
      ])
    }
    return table.text
  }
}

/// What `vise fit --json` prints.
private struct FitResult: Encodable {
  struct Line: Encodable {
    let name: String
    let value: String
    let how: String
  }

  struct Role: Encodable {
    let role: String
    let layers: Int
    let bytes: Int
    let milliseconds: Figure
  }

  struct Place: Encodable {
    let machine: String
    let memory: Int
    let needed: Int
    let weights: Int
    let activeWeights: Int
    let keysAndValues: Figure
    let states: Int
    let working: Int
    let reserved: Int
    let left: Int
    let fits: Bool
    let largestContext: Figure
    let roomForWeights: Figure
    let promptTokensPerSecond: Figure
    let tokensPerSecond: Figure
    let tokensPerSecondAtContext: Figure
    let boundBy: String
    let joulesPerToken: Figure
    let usdPerMillionTokens: Figure
    let lines: [Line]
    let roles: [Role]

    init(_ fit: Fit) {
      let isKnown = fit.memory.isCacheKnown
      machine = fit.machine.id
      memory = fit.machine.memory
      needed = fit.memory.total
      weights = fit.memory.weights
      activeWeights = fit.memory.activeWeights
      keysAndValues = Figure(isKnown ? Double(fit.memory.cache) : nil)
      states = fit.memory.states
      working = fit.memory.working
      reserved = fit.memory.reserved
      left = fit.left
      fits = fit.fits
      largestContext = Figure(fit.largestContext.map { Double($0) })
      roomForWeights = Figure(isKnown ? Double(fit.weightBudget) : nil)
      promptTokensPerSecond = Figure(fit.speed.prefillRate)
      tokensPerSecond = Figure(fit.speed.rateAtStart)
      tokensPerSecondAtContext = Figure(fit.speed.rateAtEnd)
      boundBy = fit.speed.decodeAtStart.bound.rawValue
      joulesPerToken = Figure(fit.joulesAToken)
      usdPerMillionTokens = Figure(fit.costAMillion)
      lines = fit.lines.map { Line(name: $0.name, value: $0.value, how: $0.how) }
      roles = fit.speed.roles.map {
        Role(
          role: $0.role, layers: $0.layers, bytes: $0.bytes,
          milliseconds: Figure($0.seconds * 1000))
      }
    }
  }

  let name: String
  let target: Nullable<String>
  let context: Int
  let batch: Int
  let kv: String
  let machines: [Place]

  init(_ model: ServedModel, fits: [Fit], target: ExportTarget?, _ request: FitRequest) {
    name = model.name
    self.target = Nullable(target?.rawValue)
    (context, batch, kv) = (request.context, request.batch, request.cache.rawValue)
    machines = fits.map(Place.init)
  }
}
