import Engine
import Foundation
import Links
import Tensors
import Terminal
import YAML

/// The terminal workbench: opens a model and lets a person compress it, layer by layer.
public enum Workbench {
  /// Runs until the user quits; the terminal is then as it was.
  ///
  /// - Returns: the signal that ended it, nil if the user did, and whether jobs go on without it.
  /// - Throws: ``WorkbenchError`` when there is no suitable terminal, or the theme asked for cannot
  ///   be used.
  public static func run(
    _ options: WorkbenchOptions
  ) throws(WorkbenchError) -> (signal: Int32?, goesOn: Bool) {
    // While the terminal is still the shell's: ssh may ask for a password there.
    let connected = try connect(options)
    let surroundings = Surroundings.current()
    let keeper = SessionKeeper(directory: surroundings.stateDirectory)
    var choices = keeper.choices(within: .milliseconds(100))
    if let name = options.themeName { choices[.theme] = name }
    var state = try initialState(options, surroundings, choices)
    let trace = try options.tracePath.map(trace)
    let screen: Screen
    do throws(TerminalError) {
      screen = try Screen(
        options: TerminalOptions(
          colorDepth: options.color.depth, usesMouse: options.mouse, forcesASCII: options.ascii,
          asksTerminal: true))
    } catch {
      throw WorkbenchError(description: error.description)
    }
    state.size = screen.size
    state.depth = screen.colorDepth
    if !screen.isUTF8 {
      state.glyphs = .ascii
    } else if surroundings.environment["TERM"] == "linux" {
      state.glyphs.plot = .blocks  // the console's fonts have no braille
    }
    let handle = screen.wakeHandle
    let inbox = EventInbox { handle.wake() }
    let engine = link(options, surroundings, connected) { inbox.post($0) }
    keeper.begin { inbox.post(.file($0)) }
    var loop = EventLoop(
      state: state, screen: screen,
      world: OutsideWorld(engine: engine, sessions: keeper, inbox: inbox), inbox: inbox,
      trace: trace)
    let signal = loop.run(opening: options.path)
    screen.close()
    // Who is told to end does so at once; the engine writes nothing that could be left half done.
    guard signal == nil else { return (signal, false) }
    let goesOn = options.engine != .inProcess && loop.hasWork
    if goesOn { engine.leave() } else { engine.shutDown() }
    return (nil, goesOn)
  }

  /// Runs as lines: commands are read and sentences are written, for screen readers and scripts.
  ///
  /// - Parameters:
  ///   - options: what to open, and how.
  ///   - isScript: whether lines come from a file: each then waits for what the one before has asked for.
  ///   - read: the next line, nil at the end; called on a thread of its own.
  ///   - write: writes a line.
  /// - Returns: whether all that was asked for was done, and whether jobs go on without it.
  /// - Throws: ``WorkbenchError`` when there is no engine.
  public static func runPlain(
    _ options: WorkbenchOptions, isScript: Bool, read: @escaping @Sendable () -> String?,
    write: @escaping (String) -> Void
  ) throws(WorkbenchError) -> (isDone: Bool, goesOn: Bool) {
    var options = options
    // A script answers no question that it cannot foresee.
    if isScript, options.session == .ask { options.session = .fresh }
    let connected = try connect(options)
    let surroundings = Surroundings.current()
    let keeper = SessionKeeper(directory: surroundings.stateDirectory)
    var state = try initialState(options, surroundings, KeptChoices())
    state.glyphs = .spoken
    let input = PlainInput()
    let inbox = EventInbox { input.wake() }
    let engine = link(options, surroundings, connected) { inbox.post($0) }
    keeper.begin { inbox.post(.file($0)) }
    var loop = PlainLoop(
      state: state, world: OutsideWorld(engine: engine, sessions: keeper, inbox: inbox),
      inbox: inbox, input: input, isScript: isScript, write: write)
    input.begin(reading: read)
    let isDone = loop.run(opening: options.path)
    let goesOn = options.engine != .inProcess && loop.hasWork
    if goesOn { engine.leave() } else { engine.shutDown() }
    return (isDone, goesOn)
  }

  /// Connects with an engine on another machine, if there it is to be.
  private static func connect(
    _ options: WorkbenchOptions
  ) throws(WorkbenchError) -> (client: String, connection: EngineConnection?) {
    let client = EngineClient.newName()
    guard case .ssh(let address, let program) = options.engine else { return (client, nil) }
    do throws(LinkError) {
      return (
        client,
        try EngineClient.connect(
          to: address, program: program, attaches: options.attaches, client: client,
          memoryBytes: options.memoryBytes)
      )
    } catch {
      throw WorkbenchError(description: error.description)
    }
  }

  private static func link(
    _ options: WorkbenchOptions, _ surroundings: Surroundings,
    _ connected: (client: String, connection: EngineConnection?),
    post: @escaping @Sendable (AppEvent) -> Void
  ) -> any EngineLink {
    let source: EngineClient.Source
    switch options.engine {
    case .inProcess:
      return Engine(settings: EngineSettings(memoryBytes: options.memoryBytes, givesWay: true)) {
        post(.engine($0))
      }
    case .process: source = .local(EngineFinder(environment: surroundings.environment))
    case .ssh(let address, let program): source = .ssh(address, program: program)
    }
    return EngineClient(
      source, first: connected.connection, attaches: options.attaches,
      memoryBytes: options.memoryBytes, client: connected.client
    ) { news in
      switch news {
      case .event(let event): post(.engine(event))
      case .link(let event): post(.link(event))
      }
    }
  }

  /// The table of keys and commands in Markdown, as docs/keys.md has it.
  public static func keyTableMarkdown() -> String { KeyTable.standard.markdown() }

  private static func trace(_ path: String) throws(WorkbenchError) -> FrameTrace {
    do throws(StorageError) {
      return try FrameTrace(path: path)
    } catch {
      throw WorkbenchError(description: error.description)
    }
  }

  private static func initialState(
    _ options: WorkbenchOptions, _ surroundings: Surroundings, _ choices: KeptChoices
  ) throws(WorkbenchError) -> AppState {
    let library = ThemeLibrary(surroundings)
    let (themes, flaws) = library.all()
    var state = AppState(themes: themes)
    state.isGroundLight = GroundGuess.isLight(in: surroundings.environment)
    _ = state.take(choices)
    state.useAutomaticTheme()
    if let name = options.themeName, name != AppState.automaticTheme {
      do throws(FileError) {
        state.use(try library.theme(named: name))
      } catch {
        throw WorkbenchError(description: error.description)
      }
    }
    if let flaw = flaws.first { state.warn(flaw.description) }
    do throws(FileError) {
      state.keys = try surroundings.keyTable()
    } catch {
      state.warn(error.description)
    }
    state.hasMouse = options.mouse
    state.session.choice = options.session
    state.pendingPlan = options.planPath
    state.conversation.use(options.server)
    state.target = options.target
    state.timeZone = .current
    state.start.folder = options.folder
    state.homeDirectory = surroundings.environment["HOME"]
    state.keepsSessions = surroundings.stateDirectory != nil
    state.directory = FileManager.default.currentDirectoryPath
    if case .ssh(let address, _) = options.engine {
      state.engine.address = address
    } else {
      // Of another machine's texts nothing is known.
      state.evaluationText = surroundings.evaluationText ?? ""
      state.calibrationText = CalibrationText.standard(forModelAt: options.path ?? "") ?? ""
    }
    return state
  }
}

extension WorkbenchOptions {
  /// Whether an engine that has the model open will do: it has a plan of its own.
  fileprivate var attaches: Bool { session != .fresh && planPath == nil }
}

extension AppState {
  /// Shows a theme, which joins the list if it is not in it.
  fileprivate mutating func use(_ theme: Theme) {
    if let index = themes.firstIndex(where: { $0.name == theme.name }) {
      themes[index] = theme
      themeIndex = index
    } else {
      themes.append(theme)
      themeIndex = themes.count - 1
    }
    isThemeAutomatic = false
  }
}
