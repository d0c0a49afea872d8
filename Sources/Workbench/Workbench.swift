import Engine
import Foundation
import Tensors
import Terminal
import YAML

/// The terminal workbench: opens a model and lets a person compress it, layer by layer.
public enum Workbench {
  /// Runs until the user quits; the terminal is then as it was.
  ///
  /// - Returns: the signal that ended it; nil if the user did.
  /// - Throws: ``WorkbenchError`` when there is no suitable terminal, or the theme asked for cannot
  ///   be used.
  public static func run(_ options: WorkbenchOptions) throws(WorkbenchError) -> Int32? {
    let surroundings = Surroundings.current()
    let keeper = SessionKeeper(directory: surroundings.stateDirectory)
    let keptTheme = options.themeName == nil ? keeper.theme(within: .milliseconds(100)) : nil
    var state = try initialState(options, surroundings, keptTheme: keptTheme)
    let trace = try options.tracePath.map(trace)
    let screen: Screen
    do throws(TerminalError) {
      screen = try Screen(
        options: TerminalOptions(
          colorDepth: options.color.depth, usesMouse: options.mouse, forcesASCII: options.ascii))
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
    let inbox = EventInbox(wake: screen.wakeHandle)
    let engine = Engine(settings: EngineSettings(memoryBytes: options.memoryBytes, givesWay: true))
    {
      inbox.post(.engine($0))
    }
    keeper.begin { inbox.post(.file($0)) }
    var loop = EventLoop(
      state: state, screen: screen, engine: engine, inbox: inbox, sessions: keeper,
      recent: { keeper.recentModels() }, trace: trace)
    let signal = loop.run(opening: options.path)
    screen.close()
    // Who is told to end does so at once; the engine writes nothing that could be left half done.
    if signal == nil { engine.shutDown() }
    return signal
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
    _ options: WorkbenchOptions, _ surroundings: Surroundings, keptTheme: String?
  ) throws(WorkbenchError) -> AppState {
    let library = ThemeLibrary(surroundings)
    let (themes, flaws) = library.all()
    var state = AppState(themes: themes)
    if let name = options.themeName {
      do throws(FileError) {
        state.use(try library.theme(named: name))
      } catch {
        throw WorkbenchError(description: error.description)
      }
    } else if let keptTheme, let index = themes.firstIndex(where: { $0.name == keptTheme }) {
      state.themeIndex = index
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
    state.evaluationText = surroundings.evaluationText ?? ""
    state.calibrationText = CalibrationText.standard(forModelAt: options.path ?? "") ?? ""
    return state
  }
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
  }
}
