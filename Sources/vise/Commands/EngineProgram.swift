import ArgumentParser
import Dispatch
import Engine
import FoundationEssentials
import Glibc
import Links
import Sessions
import Text

/// `vise engine`: an engine as a process of its own, and what runs of them.
struct EngineProgram: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "engine",
    abstract: "Lists or ends the engines that run for workbenches, or runs one.",
    discussion: """
      The workbench starts an engine when it opens a model, and the engine goes on with its jobs when the workbench is closed. \
      Without options this runs one until it is ended, for the first workbench that opens a model with it.

      --list --json: engines[] of process, version, model, is_watched, jobs[], unseen (jobs that have ended since), seconds_up.
      """)

  @Flag(help: "Lists this user's engines.")
  var list = false

  @Option(help: "Ends an engine by its process number, or all of them; its jobs are lost.")
  var stop: StopChoice?

  @Flag(help: "Serves a workbench on standard input and output, as ssh does.")
  var stdio = false

  @Flag(help: .hidden)
  var connected = false

  @Option(help: "Memory that a compressed model may take, such as 8GB.")
  var memory: String?

  @Flag(help: "Prints JSON with --list.")
  var json = false

  func validate() throws {
    guard [list, stop != nil, stdio, connected].count(where: { $0 }) <= 1 else {
      throw ValidationError("give one of --list, --stop and --stdio")
    }
    guard list || !json else { throw ValidationError("--json goes with --list") }
  }

  func run() throws {
    let environment = ProcessInfo.processInfo.environment
    let finder = EngineFinder(environment: environment)
    if list { return try write(finder.all()) }
    if let stop { return try end(stop, finder) }
    do {
      if stdio {
        if let reason = try StandardRelay.run(finder) {
          throw CommandFailure(status: .failed, message: "the engine \(reason)")
        }
        return
      }
      var options = EngineHost.Options()
      options.settings.memoryBytes = try MemoryOption.bytes(memory)
      options.stateDirectory = StateDirectory.path(in: environment)
      options.home = environment["HOME"]
      if connected {
        let workbench = try ByteStream.inherited()
        options.directory = try? PrivateDirectory(in: environment)
        // An engine that nobody can find again is of no use without its workbench.
        if options.directory == nil { options.patience = .zero }
        yieldToOthers()
        try run(EngineHost(options), first: workbench)
      } else {
        options.directory = try PrivateDirectory(in: environment)
        options.patience = nil
        OutputStream.error.writeLine("vise: an engine waits for workbenches; Ctrl-C ends it")
        try run(EngineHost(options), first: nil)
      }
    } catch let error as LinkError {
      throw CommandFailure(status: .failed, message: error.description)
    }
  }

  /// Runs an engine, which ends as by `--stop` when the system or a person asks for its end.
  private func run(_ host: EngineHost, first workbench: ByteStream?) throws(LinkError) {
    let sources = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { host.stop() }
      source.resume()
      return source
    }
    defer { sources.forEach { $0.cancel() } }
    try host.run(first: workbench)
  }

  /// Lets the system, when memory runs out, end the engine before any program that a person looks at.
  private func yieldToOthers() {
    let file = unsafe open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    _ = unsafe Glibc.write(file, "500", 3)
    close(file)
  }

  private func write(_ engines: [EngineStatus]) throws {
    if json { return try JSONOutput.write(EnginesResult(engines: engines)) }
    guard !engines.isEmpty else { return OutputStream.standard.write("No engine runs.\n") }
    var table = TextTable(["process", "workbench", "doing", "model"], words: [1, 2, 3])
    for engine in engines {
      var doing = engine.jobs.map(Self.text)
      if engine.unseen > 0 { doing.append("\(engine.unseen) done and not looked at") }
      table.add([
        String(engine.process), engine.isWatched ? "open" : "closed",
        doing.isEmpty ? "nothing" : doing.joined(separator: ", "), engine.model ?? "none",
      ])
    }
    OutputStream.standard.write(table.text)
  }

  private static func text(of job: EngineStatus.Work) -> String {
    guard let progress = job.progress, progress.total > 0 else { return job.kind.rawValue }
    return "\(job.kind.rawValue) \(100 * progress.completed / progress.total) %"
  }

  private func end(_ choice: StopChoice, _ finder: EngineFinder) throws {
    switch choice {
    case .all: for engine in finder.all() { _ = finder.stop(process: engine.process) }
    case .process(let number):
      guard finder.stop(process: number) else {
        throw CommandFailure(
          status: .failed, message: "no engine has the process number \(number); see --list")
      }
    }
  }
}

/// Which engines `--stop` ends.
enum StopChoice: ExpressibleByArgument {
  case all
  case process(Int)

  init?(argument: String) {
    if argument == "all" {
      self = .all
    } else if let number = Int(argument) {
      self = .process(number)
    } else {
      return nil
    }
  }
}

/// What `vise engine --list --json` prints.
private struct EnginesResult: Encodable {
  let engines: [EngineStatus]
}
