import ArgumentParser
import Checkpoints
import Compression
import Engine
import Export
import Glibc
import Workbench

/// `vise open`, or just `vise`: the workbench.
struct OpenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "open", abstract: "Opens the workbench.")

  @Argument(
    help:
      """
      A Hugging Face directory or a GGUF file, or ssh://HOST/PATH for one on another machine; \
      a folder of several, or nothing, lists what there is.
      """,
    completion: .file())
  var path: String?

  @Option(name: .long, help: "A plan to open with the model.")
  var plan: String?

  @Option(
    name: .long,
    help: "Who is to load what is planned: transformers, vllm, vllm-cpu or llama.cpp.")
  var target: ExportTarget?

  @Flag(exclusivity: .exclusive)
  var session: SessionFlag?

  @OptionGroup var serving: ServingOptions

  @Option(
    name: .long,
    help: "A theme's name, a theme file's path, or auto: light or dark as the terminal is.")
  var theme: String?

  @Option(name: .long, help: "Colours: auto, truecolor, 256, 16, 8 or never.")
  var color: ColorChoice = .auto

  @Flag(name: .long, help: "Draw with ASCII characters only.")
  var ascii = false

  @Flag(
    name: .long,
    help: "No screen: read commands line by line and answer in sentences, for screen readers.")
  var plain = false

  @Flag(name: .long, help: "Leave the mouse to the terminal.")
  var noMouse = false

  @Option(
    name: .long,
    help: "Memory that the compressed model may take, such as 8GB; by default 7/8 of what is free.")
  var memory: String?

  @Flag(
    name: .long,
    help: "Run the engine in the workbench's process, so that its jobs end with the workbench.")
  var inProcess = false

  @Option(name: .long, help: "How Vise is called on the machine of an ssh:// path.")
  var remoteVise = "vise"

  @Option(
    name: .long,
    help: "A file to write, a line of JSON for each frame: how long keys waited for it.")
  var trace: String?

  func run() throws {
    let (engine, path) = try whereTheEngineIs()
    let folder = try check(engine)
    let server = try serving.address()
    let end: (signal: Int32?, goesOn: Bool)
    var options = WorkbenchOptions(
      path: folder == nil ? path : nil, folder: folder, planPath: plan, target: target,
      server: server, themeName: theme,
      color: color, ascii: ascii, mouse: !noMouse, tracePath: trace)
    options.memoryBytes = try MemoryOption.bytes(memory)
    options.session = session?.choice ?? .ask
    options.engine = engine
    if plain { return try runPlain(options) }
    do {
      end = try Workbench.run(options)
    } catch {
      throw CommandFailure(status: .failed, message: error.description)
    }
    // Whoever sent it sees that it was obeyed.
    if let signal = end.signal {
      Glibc.signal(signal, SIG_DFL)
      raise(signal)
    }
    if end.goesOn {
      OutputStream.error.writeLine(
        "vise: jobs go on: opening the model again comes back to them; `vise engine --list` tells of them"
      )
    }
  }

  private func runPlain(_ options: WorkbenchOptions) throws {
    let end: (isDone: Bool, goesOn: Bool)
    do {
      end = try Workbench.runPlain(
        options, isScript: isatty(STDIN_FILENO) != 1, read: { readLine() },
        write: { OutputStream.standard.writeLine($0) })
    } catch {
      throw CommandFailure(status: .failed, message: error.description)
    }
    if end.goesOn {
      OutputStream.error.writeLine("vise: jobs go on: `vise engine --list` tells of them")
    }
    guard end.isDone else {
      throw CommandFailure(status: .failed, message: "not all that was asked for was done")
    }
  }

  /// Where the engine is to be, and the model's path there.
  private func whereTheEngineIs() throws -> (EngineChoice, String?) {
    guard let path, SSHAddress.isMeant(by: path) else {
      return (inProcess ? .inProcess : .process, path)
    }
    guard let address = SSHAddress(path), let there = address.path else {
      throw ValidationError(
        "\(path) is no model on another machine; write ssh://HOST/PATH or ssh://HOST/~/PATH")
    }
    guard !inProcess else {
      throw ValidationError(
        "an engine on another machine cannot run in this process; leave out --in-process")
    }
    return (.ssh(address, program: remoteVise), there)
  }

  /// Finds mistakes of the command line while there is still a shell to correct them in.
  ///
  /// - Returns: the folder that was named, if it is no model but holds several.
  private func check(_ engine: EngineChoice) throws(CommandFailure) -> String? {
    if let plan { _ = try PlanFile.read(plan) }
    if case .ssh = engine { return nil }
    guard let path else {
      guard plain || isatty(STDIN_FILENO) == 1 && OutputStream.standard.isTerminal else {
        throw CommandFailure(
          status: .usage,
          message: "say which model: vise PATH; vise models lists those that are here")
      }
      return nil
    }
    do {
      _ = try Checkpoint.open(path)
      return nil
    } catch {
      if ModelFinder.models(in: path).count > 1 { return path }
      throw CommandFailure(status: .unreadableModel, message: error.description)
    }
  }
}

/// `--resume` or `--fresh`.
enum SessionFlag: String, EnumerableFlag {
  case resume, fresh

  fileprivate var choice: SessionChoice {
    switch self {
    case .resume: .resume
    case .fresh: .fresh
    }
  }

  static func help(for value: SessionFlag) -> ArgumentHelp? {
    switch value {
    case .resume: "Go on where the last session with the model ended, without asking."
    case .fresh: "Begin a new session without asking; the last one is kept."
    }
  }
}

extension ColorChoice: ExpressibleByArgument {}
