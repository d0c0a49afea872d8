import Compression
import Engine
import Terminal
import Testing

@testable import Workbench

/// The workbench as lines: the same commands, told in sentences.
struct PlainTests {
  /// What is told of a line, and what it makes of the state.
  private func say(_ line: String, to state: inout AppState) -> [String] {
    let before = state
    let (_, tells) = state.take(line: line)
    return PlainNews(from: before, to: state).lines + (tells ? PlainText(state: state).lines : [])
  }

  private func opened() -> AppState {
    var state = App().state
    state.glyphs = .spoken
    return state
  }

  @Test func commandsChangeThePlanWithOrWithoutTheirColon() {
    var state = opened()
    let told = say(":bits 4 down_proj", to: &state)
    #expect(told.count == 1 && told[0].hasPrefix("4 bit on 3 layers: ") && told[0].contains(" to "))
    #expect(
      say("bits 6 down_proj block<1", to: &state)[0].contains(
        "6 bit on model.layers.0.mlp.down_proj"))
    #expect(state.model?.schemes.count { $0.quantization?.bits == 4 } == 2)
    #expect(say("undo", to: &state) == ["Undone: 6 bit on model.layers.0.mlp.down_proj"])
  }

  @Test func layersAreReadOneByOne() {
    var state = opened()
    _ = say("bits 3 q_proj", to: &state)
    let told = say("filter q_proj block<2", to: &state)
    #expect(told.count == 3)
    #expect(told[0].hasPrefix("model.layers.0.self_attn.q_proj: 3 bit g64 sym, about "))
    #expect(told[2].hasPrefix("Plan unnamed: "))
    #expect(say("layers", to: &state) == told)
  }

  @Test func fieldsAndQuestionsAreAnsweredByTheNextLine() {
    var state = opened()
    #expect(say("sparsity", to: &state)[0].hasPrefix("Type sparsity, for example none, 25%"))
    #expect(say("2:4", to: &state)[0].hasPrefix("sparsity 2:4 on "))
    #expect(say("evaluate", to: &state)[0].hasPrefix("Type evaluate on text file"))
    #expect(say("cancel", to: &state) == [] && state.line == nil)
    let told = say("quit", to: &state)
    #expect(told.contains("An empty line: stay") && told.contains { $0.hasPrefix("d: quit") })
    _ = say("", to: &state)
    #expect(state.overlay == nil)
    _ = say("quit", to: &state)
    #expect(state.take(line: "d").effects.contains(.quit))
  }

  @Test func mistakesAreErrors() {
    var state = opened()
    #expect(say("foo", to: &state) == ["Error: No command \"foo\"; `help` lists all"])
    #expect(say("bits 9", to: &state)[0].hasPrefix("Error: Bits are 2 to 8"))
    #expect(say("group 7 down_proj", to: &state)[0].hasPrefix("Error: "))
  }

  @Test func helpTellsEveryCommand() {
    var state = opened()
    let told = say("help", to: &state)
    for action in Action.allCases where !action.isLocal {
      #expect(told.contains { $0.hasPrefix(action.rawValue) }, "\(action)")
    }
  }

  /// Every screen can be read, and none of it is drawn.
  @Test(arguments: ["layers", "budget", "compare", "history", "hardware", "jobs", "chat"])
  func screensAreLines(_ name: String) {
    var state = opened()
    _ = say("snapshot one", to: &state)
    let told = say(name, to: &state)
    #expect(told.isEmpty == ["history", "chat"].contains(name))
    #expect(!told.joined().unicodeScalars.contains { (0x2500..<0x2900).contains($0.value) })
  }

  @Test func jobsAreToldWhenTheyBeginAndEnd() {
    var app = App()
    var before = app.state
    app.command("evaluate a.txt")
    #expect(PlainNews(from: before, to: app.state).lines.contains("evaluate a.txt: begun."))
    app.send(.jobStarted(JobID(1), .evaluate, title: "evaluate"))
    app.send(.jobProgress(JobID(1), JobProgress(completed: 29, total: 58, secondsLeft: 75)))
    let text = PlainText(state: app.state)
    #expect(app.state.jobs.front.map(text.progress) == "evaluate a.txt: 50 percent, 1:15 left.")
    before = app.state
    app.send(.jobEnded(JobID(1), .failed("no such file")))
    let told = PlainNews(from: before, to: app.state).lines
    #expect(told == ["Error: evaluate a.txt: no such file"])
  }
}
