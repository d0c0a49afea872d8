import Checkpoints
import Compression
import Engine
import Foundation
import Terminal
import Testing

@testable import Workbench

/// Drives the workbench as a person would, without a terminal and without an engine.
///
///     var app = App()
///     app.press("j", "j", "space", "4")
///     #expect(app.row("q_proj").contains("4"))
struct App {
  var state: AppState
  /// Everything that updates asked for since ``clearEffects()``.
  private(set) var effects: [Effect] = []

  /// The workbench with a model just opened; nil is before that.
  init(
    _ model: ModelDescription? = .synthetic(), columns: Int = 120, rows: Int = 36,
    glyphs: Glyphs = .unicode, themes: [Theme] = Theme.builtIn
  ) {
    state = AppState(themes: themes)
    state.size = Size(columns: columns, rows: rows)
    state.glyphs = glyphs
    if let model {
      send(.opened(model))
      state.notice = nil
    }
    effects = []
  }

  // MARK: Doing

  /// Presses keys by their names, as `j`, `space`, `ctrl-r`.
  mutating func press(_ keys: String..., sourceLocation: SourceLocation = #_sourceLocation) {
    for name in keys {
      guard let key = KeyPress(parsing: name) else {
        Issue.record("no key is called \(name)", sourceLocation: sourceLocation)
        continue
      }
      handle(.input(.key(key)))
    }
  }

  /// Types text, key by key.
  mutating func type(_ text: String) {
    for character in text { handle(.input(.key(KeyPress(.character(character))))) }
  }

  /// Runs a command line.
  mutating func command(_ text: String) {
    press(":")
    type(text)
    press("Enter")
  }

  mutating func click(_ column: Int, _ row: Int) {
    let point = Point(column: column, row: row)
    handle(.input(.mouse(MouseEvent(point: point, action: .press))))
  }

  /// Clicks on the first place of the screen where `text` stands.
  mutating func click(on text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    guard let point = place(of: text) else {
      Issue.record("\(text) is not on the screen", sourceLocation: sourceLocation)
      return
    }
    click(point.column, point.row)
  }

  mutating func wheel(_ action: MouseAction, over text: String) {
    guard let point = place(of: text) else { return }
    handle(.input(.mouse(MouseEvent(point: point, action: action, button: .none))))
  }

  mutating func resize(_ columns: Int, _ rows: Int) {
    handle(.input(.resize(Size(columns: columns, rows: rows))))
  }

  mutating func send(_ event: EngineEvent) { handle(.engine(event)) }

  mutating func handle(_ event: AppEvent) { effects += update(&state, event) }

  mutating func clearEffects() { effects = [] }

  /// Reports on a layer under its present scheme.
  mutating func report(_ layer: String, _ standing: Standing = .exact, sqnr: Double? = 21.5) {
    guard let model = state.model else { return }
    send(.report(.synthetic(layer, in: model, standing: standing, sqnr: sqnr)))
  }

  // MARK: Looking

  var frame: Frame { view(state, size: state.size) }

  var screen: String { frame.text() }

  /// The first line of the screen that holds all the words; empty if none does.
  func row(_ words: String...) -> String {
    screen.split(separator: "\n").first { line in words.allSatisfy { line.contains($0) } }
      .map(String.init) ?? ""
  }

  func place(of text: String) -> Point? {
    for row in 0..<frame.size.rows {
      let line = frame.row(row)
      if let range = line.firstRange(of: text) {
        return Point(column: displayWidth(of: line[..<range.lowerBound]), row: row)
      }
    }
    return nil
  }

  /// The scheme of a layer by the end of its name.
  func scheme(_ suffix: String) -> Scheme? {
    guard let model = state.model,
      let index = model.layers.firstIndex(where: { $0.name.hasSuffix(suffix) })
    else { return nil }
    return model.schemes[index]
  }

  var commands: [EngineCommand] {
    effects.compactMap { if case .engine(let command) = $0 { command } else { nil } }
  }

  var cursorLayer: String? { state.inspectedLayer.flatMap { state.model?.layers[$0].name } }
}

/// Compares with a recorded screen; VISE_RECORD=1 in the environment records it anew.
func expectGolden(
  _ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let file = fixtures.appending(path: "\(name).txt")
  if ProcessInfo.processInfo.environment["VISE_RECORD"] == "1" {
    try (text + "\n").write(to: file, atomically: true, encoding: .utf8)
  }
  let expected = try String(contentsOf: file, encoding: .utf8)
  #expect(text + "\n" == expected, sourceLocation: sourceLocation)
}

private let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
  .appending(path: "Fixtures")

/// The repository's root.
let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()
