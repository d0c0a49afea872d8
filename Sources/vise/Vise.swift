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
      RefineCommand.self, AllocateCommand.self, PruneCommand.self, ExportCommand.self,
      CompressCommand.self, CompareCommand.self, TargetsCommand.self,
    ],
    defaultSubcommand: OpenCommand.self)

  /// Runs the command that the arguments name, and ends with its ``ExitStatus``.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as CommandFailure {
      OutputStream.error.writeLine("vise: error: \(failure.message)")
      Glibc.exit(failure.status.rawValue)
    } catch {
      // Help and completion scripts are asked for in this way too.
      if exitCode(for: error).isSuccess { exit(withError: error) }
      let text = fullMessage(for: error)
      let heading = "Error: "
      let message = text.hasPrefix(heading) ? String(text.dropFirst(heading.count)) : text
      OutputStream.error.writeLine("vise: error: \(message)")
      Glibc.exit(ExitStatus.usage.rawValue)
    }
  }
}
