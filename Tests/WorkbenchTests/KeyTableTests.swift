import Terminal
import Testing
import YAML

@testable import Workbench

@Suite struct KeyTableTests {
  private let table = KeyTable.standard

  @Test func noKeyMeansTwoThingsInOnePlace() {
    #expect(table.conflicts().map(\.description) == [])
  }

  @Test(arguments: Action.allCases)
  func everyActionHasACommandAndHelp(_ action: Action) {
    let entry = table.entry(for: action)
    #expect(entry?.help.isEmpty == false)
    #expect(Command(parsing: action.rawValue)?.action == action)
    #expect(entry?.contexts.isEmpty == false)
  }

  @Test(arguments: Action.allCases)
  func everyActionHasAKeyAndAClick(_ action: Action) throws {
    #expect(table.entries.contains { $0.action == action && !$0.bindings.isEmpty })
    guard !action.isLocal else { return }
    // By mouse: a click on the program's name lists all commands, and a click on one does it.
    var app = App()
    app.click(1, 0)
    let row = try #require(
      PaletteMatches(keys: table, text: "").rows.firstIndex { $0.action == action })
    for _ in 0..<row { app.press("Down") }
    let layout = try #require(OverlayLayout(app.state, size: app.state.size))
    let place = try #require(layout.items.dropFirst(row - layout.firstItem).first).origin
    app.click(place.column + 1, place.row)
    if case .palette? = app.state.overlay { #expect(action == .palette) }
  }

  @Test func everyKeyNameIsAKey() {
    let digits = table.entries.first { $0.action == .bits }?.bindings.count
    #expect(digits == 7)
    for entry in table.entries where !entry.bindings.isEmpty {
      #expect(!entry.keyNames.isEmpty)
    }
    #expect(table.entry(for: .undo)?.bindings.map(\.keys.description) == ["u", "z"])
    #expect(table.entry(for: .top)?.bindings.map(\.keys.description) == ["gg", "Home"])
  }

  @Test func lettersAreNeverBoundWhereTheyAreTyped() {
    for context in [KeyContext.prompt, .line, .palette, .everywhere] {
      for entry in table.entries where entry.contexts.contains(context) {
        for binding in entry.bindings {
          guard case .character = binding.keys.presses[0].key else { continue }
          #expect(!binding.keys.presses[0].modifiers.isEmpty, "\(entry.action) in \(context)")
        }
      }
    }
  }

  @Test func noKeyIsShownForWhatDoesNotExist() {
    let keys = table.entries.flatMap(\.bindings).map(\.keys.description)
    for key in ["F10", "F11"] { #expect(!keys.contains(key)) }
  }

  @Test func footerFitsItsWidthAndAlwaysHasHelp() {
    for columns in [60, 80, 120, 200] {
      let app = App(columns: columns, rows: 30)
      let layout = ScreenLayout(app.state, size: app.state.size)
      let items = Footer(app.state, in: layout.footer).items
      #expect(items.last?.entry.action == .help)
      #expect(items.allSatisfy { $0.rect.endColumn <= columns })
      for (left, right) in zip(items, items.dropFirst()) {
        #expect(left.rect.endColumn < right.rect.column)
      }
    }
  }

  @Test func markdownHasARowForEveryAction() {
    let lines = Workbench.keyTableMarkdown().split(separator: "\n")
    let actions = Action.allCases.filter { !$0.isLocal }
    #expect(lines.count == actions.count + 2)
    #expect(lines.allSatisfy { $0.hasPrefix("|") && $0.hasSuffix("|") })
    #expect(lines.contains { $0.contains("`2-8`") && $0.contains("`:bits 2-8 [LAYERS]`") })
  }
}

@Suite struct KeySettingsTests {
  private func apply(_ yaml: String) throws(FileError) -> KeyTable {
    try KeySettings.apply(yaml: yaml, file: "keys.yaml", to: .standard)
  }

  @Test func givesCommandsOtherKeys() throws {
    let table = try apply("keys:\n  undo: [U, ctrl-b]\n  bits 4: F12\n  quit: Q\n")
    #expect(table.entry(for: .undo)?.bindings.map(\.keys.description) == ["U", "ctrl-b"])
    #expect(table.match([KeyPress(.function(12))], in: [.layers]) == .command(Command(.bits, "4")))
    #expect(table.match([KeyPress(.character("4"))], in: [.layers]) == .none)
    #expect(
      table.match([KeyPress(.character("5"))], in: [.layers]) == .command(Command(.bits, "5")))
  }

  @Test func takesKeysOfOtherAlphabets() throws {
    let table = try apply("keys:\n  undo: [u, г]\n")
    #expect(table.match([KeyPress(.character("г"))], in: [.layers]) == .command(Command(.undo)))
  }

  @Test(arguments: [
    ("keys:\n  undoo: u\n", "keys.yaml:2: unknown command \"undoo\""),
    ("keys:\n  undo: u\n  redo: hyper-x\n", "keys.yaml:3: unknown key \"hyper-x\""),
    ("keys:\n  undo: u\n  copy: u\n", "keys.yaml:3: u means both"),
    ("keys:\n  undo: g\n", "keys.yaml:2: "),
    ("colors: red\n", "keys.yaml:1: \"colors\" is not \"keys\""),
    ("keys: [u]\n", "keys.yaml:1: keys is a mapping"),
    ("keys:\n  undo: [u\n", "keys.yaml:"),
    ("", "keys.yaml: the file is empty"),
  ])
  func errorsNameTheLine(_ yaml: String, _ message: String) {
    do {
      _ = try apply(yaml)
      Issue.record("no error for \(yaml)")
    } catch {
      #expect(error.description.hasPrefix(message), "\(error)")
    }
  }
}
