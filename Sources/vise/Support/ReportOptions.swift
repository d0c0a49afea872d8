import Checkpoints
import ArgumentParser
import Compression
import Engine
import Export

/// What a report tells beside the plan, its bytes and its errors.
struct ReportOptions: ParsableArguments {
  @Option(
    name: .customLong("text"),
    help: "Measures PPL and KLD on this text first; calibration should not have seen it.",
    completion: .file())
  var textPath: String?

  @OptionGroup var reading: WindowOptions

  @Option(
    help: "A file that `vise sensitivity` wrote, for predictions and the frontier.",
    completion: .file())
  var sensitivity: String?

  @Option(help: "A prompt that both models answer, greedily; may be repeated.")
  var prompt: [String] = []

  @Option(name: .customLong("tokens"), help: "Most tokens of an answer.")
  var tokenLimit = 128

  func validate() throws {
    guard tokenLimit > 0 else { throw ValidationError("--tokens is at least 1.") }
  }

  /// Whether any of these options asks for what only a report tells.
  var asksForMore: Bool { textPath != nil || reading.windows != nil || !prompt.isEmpty }
}

extension EngineSession {
  /// Measures and asks what a report is to tell of the current plan.
  func reportNotes(_ options: ReportOptions) throws(CommandFailure) -> ReportNotes {
    var notes = ReportNotes()
    if let path = options.textPath {
      let request = EvaluationRequest(
        textPath: path, window: options.reading.window, windowLimit: options.reading.windows)
      notes.add(try evaluate(request), on: path.fileName)
    }
    for prompt in options.prompt {
      let request = GenerationRequest(prompt: prompt, tokenLimit: options.tokenLimit)
      let answers = try answer(request, isStreamed: false).result
      notes.answers.append(
        ReportAnswer(
          prompt: prompt, sampling: "greedy", original: answers.reference?.text ?? "",
          compressed: answers.compressed?.text ?? ""))
    }
    return notes
  }
}
