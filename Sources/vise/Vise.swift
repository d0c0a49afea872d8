import ArgumentParser
import Engine
import Glibc

@main
struct Vise: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vise",
    abstract: "A terminal workbench for compressing language models.",
    discussion: """
      Opens Hugging Face directories (safetensors) and GGUF files. `vise PATH` opens the \
      workbench; the other subcommands do the same work without a screen.

      Exit status:
      \(ExitStatus.allCases.map { "  \($0.rawValue)  \($0.meaning)" }.joined(separator: "\n"))
      """,
    version: EngineSettings.version,
    subcommands: [
      OpenCommand.self, InspectCommand.self, PreviewCommand.self, GenerateCommand.self,
      EvaluateCommand.self, LogitsCommand.self, CalibrateCommand.self, SensitivityCommand.self,
      RefineCommand.self, AllocateCommand.self, ImproveCommand.self, PruneCommand.self,
      ExportCommand.self,
      CompressCommand.self, CompareCommand.self, HistoryCommand.self, TargetsCommand.self,
      FitCommand.self, ModelsCommand.self, LadderCommand.self, VerifyCommand.self,
      PartCommand.self, SubmitCommand.self, JobsCommand.self, EngineProgram.self,
    ],
    defaultSubcommand: OpenCommand.self)

  /// Runs the command that the arguments name, and ends with its ``ExitStatus``.
  static func main() {
    Crashes.endAtOnce()
    OutputStream.reserveNumbers()
    do {
      var command = try parseAsRoot()
      try command.run()
      if let flaw = OutputStream.standard.flaw {
        throw CommandFailure(status: .failed, message: "standard output: \(flaw)")
      }
    } catch let failure as CommandFailure {
      OutputStream.error.writeLine("vise: error: \(failure.message)")
      Glibc.exit(failure.status.rawValue)
    } catch {
      // Help and completion scripts are asked for in this way too.
      if exitCode(for: error).isSuccess {
        OutputStream.standard.writeLine(fullMessage(for: error))
        guard let flaw = OutputStream.standard.flaw else { Glibc.exit(ExitStatus.done.rawValue) }
        OutputStream.error.writeLine("vise: error: standard output: \(flaw)")
        Glibc.exit(ExitStatus.failed.rawValue)
      }
      let text = fullMessage(for: error)
      let heading = "Error: "
      let message = text.hasPrefix(heading) ? String(text.dropFirst(heading.count)) : text
      OutputStream.error.writeLine("vise: error: \(message)")
      Glibc.exit(ExitStatus.usage.rawValue)
    }
  }
}
