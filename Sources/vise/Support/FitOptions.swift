import ArgumentParser
import Checkpoints
import Compression
import Engine
import Export
import Fitting
import Tensors
import YAML

/// How many tokens a sequence has, as an argument.
struct ContextArgument: ExpressibleByArgument {
  let tokens: Int

  init?(argument: String) {
    guard let tokens = TokenCount.tokens(argument) else { return nil }
    self.tokens = tokens
  }
}

/// What is to be served.
struct FitOptions: ParsableArguments {
  @Option(
    help:
      "Tokens of a sequence: 32k are 32768; without it 8k, or the model's context if that is shorter."
  )
  var context: ContextArgument?

  @Option(help: "Sequences at once.")
  var batch = 1

  @Option(help: "What keys and values are kept as: f32, f16 or int8.")
  var kvCache = CacheType.f16

  func validate() throws {
    guard (1...FitRequest.batchLimit).contains(batch) else {
      throw ValidationError("--batch is 1 to \(FitRequest.batchLimit).")
    }
  }

  /// Whether anything of it was said.
  var isGiven: Bool { context != nil || batch != 1 || kvCache != .f16 }

  func request(for model: ModelDescription) -> FitRequest {
    let most = model.serving?.contextLength ?? 0
    let usual = most > 0 ? min(FitRequest().context, most) : FitRequest().context
    return FitRequest(context: context?.tokens ?? usual, batch: batch, cache: kvCache)
  }

  /// The machine of a name, or this one, which is measured then.
  static func machine(named name: String) throws(CommandFailure) -> Machine {
    guard name != "this" else { return MachineProbe.run() }
    do {
      return try MachineLibrary.standard().machine(named: name)
    } catch {
      throw CommandFailure(status: .usage, message: error.description)
    }
  }
}

extension EngineSession {
  /// The model that is open under a plan, as a target's files hold it, or without a target as tensors.
  func servedModel(
    _ opened: ModelDescription, plan path: String?, target: ExportTarget?
  ) throws(CommandFailure) -> ServedModel {
    let plan = try path.map { path throws(CommandFailure) in try PlanFile.read(path) } ?? Plan()
    if path != nil { setPlan(plan, from: path, for: opened) }
    var model = opened
    if plan.structure != nil {
      model = try next { event in
        if case .restructured(let pruned) = event { pruned } else { nil }
      }
    }
    let byName: [String: Scheme]
    do throws(PlanError) {
      byName = try plan.schemes(for: model.layerShapes)
    } catch {
      throw CommandFailure(status: .badPlan, message: "\(error)")
    }
    let schemes = model.layers.map { byName[$0.name] ?? .keep }
    guard let target else { return ServedModel(model, schemes: schemes, forecast: nil) }
    let forecast = try outline(for: target).forecast(of: schemes)
    if let refusal = forecast.refusals.values.min(by: { $0.layer < $1.layer }) {
      warn(
        "\(target.rawValue) cannot hold \(forecast.refusals.count) layers of this plan, such as "
          + "\(refusal.layer): they are counted as the plan has them")
    }
    return ServedModel(model, schemes: schemes, forecast: forecast)
  }

  /// What decides the bytes of a target's files.
  func outline(for target: ExportTarget) throws(CommandFailure) -> ExportOutline {
    send(.outlineExport(target))
    return try next { event in
      if case .exportOutline(let outline) = event { outline } else { nil }
    }
  }
}
