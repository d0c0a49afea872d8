/// Where the keyboard is; each place has its own bindings, and falls back to wider ones.
enum KeyContext: String, CaseIterable, Hashable, Sendable {
  /// The table of layers.
  case table
  case inspector
  /// The table or the inspector: wherever a key may change the plan.
  case layers
  /// The prompt's input line, where letters are typed.
  case prompt
  /// The Chat screen while no letters are typed.
  case chat
  /// The frontier with its lists.
  case budget
  /// The list of snapshots.
  case compare
  /// The list of evaluations.
  case history
  /// The list of models.
  case start
  /// The list of machines.
  case hardware
  case jobs
  /// Every place where letters are not typed.
  case browsing
  /// The command line, the filter, and one-line fields.
  case line
  case palette
  case help
  /// The export overlay.
  case export
  /// A list to pick from, such as the themes.
  case picker
  case confirmation
  /// Everywhere, also where letters are typed.
  case everywhere

  /// Where a key is looked up while the keyboard is here, the narrowest place first.
  var chain: [KeyContext] {
    switch self {
    case .table, .inspector: [self, .layers, .browsing, .everywhere]
    case .layers, .chat, .budget, .compare, .history, .hardware, .start, .jobs:
      [self, .browsing, .everywhere]
    case .everywhere: [self]
    case .browsing, .prompt, .line, .palette, .help, .export, .picker, .confirmation:
      [self, .everywhere]
    }
  }

  /// How the help overlay titles the section.
  var title: String {
    switch self {
    case .table: "In the table"
    case .inspector: "In the inspector"
    case .layers: "On layers"
    case .prompt: "In the prompt"
    case .chat: "On the Chat screen, not typing"
    case .budget: "On the Budget screen"
    case .compare: "On the Compare screen"
    case .history: "On the History screen"
    case .start: "On the start screen"
    case .hardware: "On the Hardware screen"
    case .jobs: "On the Jobs screen"
    case .browsing: "Program"
    case .line: "In a field or the command line"
    case .palette: "In the palette"
    case .help: "In this help"
    case .export: "In the export"
    case .picker: "In a list"
    case .confirmation: "In a question"
    case .everywhere: "Everywhere"
    }
  }
}
