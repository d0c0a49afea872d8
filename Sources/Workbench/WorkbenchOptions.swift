import Engine
import Export
import Serving
import Terminal

/// How the workbench is started.
public struct WorkbenchOptions: Hashable, Sendable {
  /// The checkpoint to open; nil starts with the models that are on this machine.
  public var path: String?
  /// A folder whose models are listed first where none is opened.
  public var folder: String?
  /// A plan to open with it.
  public var planPath: String?
  /// Who is to load what is planned; nil for nobody yet.
  public var target: ExportTarget?
  /// A server that answers prompts too; nil if none does.
  public var server: ServerAddress?
  /// A theme's name, the path of a theme file, or `auto`; nil takes what was chosen last.
  public var themeName: String?
  /// Colours to use.
  public var color: ColorChoice
  /// Whether to draw with ASCII only, whatever the locale.
  public var ascii: Bool
  /// Whether the terminal reports the mouse from the beginning.
  public var mouse: Bool
  /// What becomes of the last session with the model.
  public var session: SessionChoice
  /// Most bytes of memory that a compressed model may take; nil takes nearly all that the machine has left.
  public var memoryBytes: Int?
  /// Where the engine is.
  public var engine: EngineChoice
  /// Where to write how long keys waited for their frames; nil writes nothing.
  public var tracePath: String?

  public init(
    path: String? = nil, folder: String? = nil, planPath: String? = nil,
    target: ExportTarget? = nil,
    server: ServerAddress? = nil, themeName: String? = nil, color: ColorChoice = .auto,
    ascii: Bool = false, mouse: Bool = true, session: SessionChoice = .ask,
    engine: EngineChoice = .process, tracePath: String? = nil
  ) {
    self.path = path
    self.folder = folder
    self.planPath = planPath
    self.target = target
    self.server = server
    self.themeName = themeName
    self.color = color
    self.ascii = ascii
    self.mouse = mouse
    self.session = session
    self.engine = engine
    self.tracePath = tracePath
  }
}

/// Where the engine is.
public enum EngineChoice: Hashable, Sendable {
  /// In the workbench's own process, with which it ends.
  case inProcess
  /// In a process of its own on this machine, which outlives the workbench.
  case process
  /// On another machine, by way of ssh, with the name of the program there.
  case ssh(SSHAddress, program: String)
}

/// How many colours to use.
public enum ColorChoice: String, Hashable, Sendable, CaseIterable {
  /// As many as the terminal has.
  case auto
  case trueColor = "truecolor"
  case indexed256 = "256"
  case ansi16 = "16"
  case ansi8 = "8"
  /// Attributes only.
  case never

  /// The depth to use; nil finds out what the terminal has.
  var depth: ColorDepth? {
    switch self {
    case .auto: nil
    case .trueColor: .trueColor
    case .indexed256: .indexed256
    case .ansi16: .ansi16
    case .ansi8: .ansi8
    case .never: ColorDepth.none
    }
  }
}

/// Why the workbench could not start.
public struct WorkbenchError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A sentence for the user that says what to do.
  public let description: String
}
