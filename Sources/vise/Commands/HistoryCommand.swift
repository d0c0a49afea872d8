import ArgumentParser
import Checkpoints
import Compression
import Foundation
import Inference
import Sessions

/// `vise history`: every evaluation that is kept of a model.
struct HistoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Lists the plans of a model that were evaluated in the workbench, oldest first.",
    discussion: """
      --json: model, fingerprint, evaluations[] of finished (ISO 8601), plan_id (the same for equal \
      plans), plan (YAML), text, tokens, windows, bytes, bits_per_weight, reference_ppl, ppl, \
      ppl_standard_error, kld, kld_standard_error (nats a token), top1; null for what was not \
      measured. --csv has the same columns but the plan's YAML.
      """)

  @OptionGroup var model: ModelArgument

  @Flag(help: "Prints JSON.")
  var json = false

  @Flag(help: "Prints CSV.")
  var csv = false

  func validate() throws {
    guard !(json && csv) else { throw ValidationError("--json and --csv exclude each other") }
  }

  func run() throws {
    let description = try description()
    let evaluations = try evaluations(of: description.fingerprint)
    if json {
      try JSONOutput.write(HistoryResult(description, evaluations))
    } else if csv {
      OutputStream.standard.write(EvaluationTable.csv(evaluations))
    } else {
      OutputStream.standard.write(Self.text(of: evaluations))
    }
  }

  private func description() throws(CommandFailure) -> ModelDescription {
    do {
      return try Checkpoint.open(model.path).description
    } catch {
      throw CommandFailure(status: .unreadableModel, message: error.description)
    }
  }

  private func evaluations(of fingerprint: String) throws(CommandFailure) -> [PlanEvaluation] {
    let environment = ProcessInfo.processInfo.environment
    guard let directory = StateDirectory.path(in: environment),
      FileManager.default.fileExists(atPath: directory)
    else { return [] }
    do {
      return try SessionStore(directory: directory).evaluations(of: fingerprint)
    } catch {
      throw CommandFailure(status: .failed, message: error.description)
    }
  }

  private static func text(of evaluations: [PlanEvaluation]) -> String {
    guard !evaluations.isEmpty else { return "No evaluation of this model is kept.\n" }
    var table = TextTable(
      ["finished", "plan", "text", "bytes", "bpw", "PPL", "KLD", "error"], words: [0, 1, 2])
    for evaluation in evaluations {
      let result = evaluation.result
      let divergence = result.divergence?.mean
      table.add([
        evaluation.finished?.formatted(.iso8601) ?? "", evaluation.planID, evaluation.textPath,
        String(evaluation.bytes), evaluation.bitsPerWeight.fixed(2),
        (result.compressedPPL ?? result.referencePPL).value.fixed(3),
        divergence.map { $0.value.fixed(5) } ?? "-",
        (divergence?.standardError).map { $0.fixed(5) } ?? "-",
      ])
    }
    return table.text
  }
}

/// What `vise history --json` prints.
private struct HistoryResult: Encodable {
  struct Row: Encodable {
    let finished: Nullable<String>
    let planId: String
    let plan: String
    let text: String
    let tokens: Int
    let windows: Int
    let bytes: Int
    let bitsPerWeight: Figure
    let referencePpl: Figure
    let ppl: Figure
    let pplStandardError: Figure
    let kld: Figure
    let kldStandardError: Figure
    let top1: Figure
  }

  let model: String
  let fingerprint: String
  let evaluations: [Row]

  init(_ description: ModelDescription, _ evaluations: [PlanEvaluation]) {
    model = description.name
    fingerprint = description.fingerprint
    self.evaluations = evaluations.map { evaluation in
      let result = evaluation.result
      return Row(
        finished: Nullable(evaluation.finished?.formatted(.iso8601)), planId: evaluation.planID,
        plan: evaluation.plan.yaml(), text: evaluation.textPath, tokens: result.tokens,
        windows: result.windows, bytes: evaluation.bytes,
        bitsPerWeight: Figure(evaluation.bitsPerWeight),
        referencePpl: Figure(result.referencePPL.value), ppl: Figure(result.compressedPPL?.value),
        pplStandardError: Figure(result.compressedPPL?.standardError),
        kld: Figure(result.divergence?.mean.value),
        kldStandardError: Figure(result.divergence?.mean.standardError),
        top1: Figure(result.top1Agreement?.value))
    }
  }
}
