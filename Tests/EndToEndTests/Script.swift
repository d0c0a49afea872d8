import Foundation

/// What a person does and waits for, a step a line, as `Scripts` has it: the tests replay these, and record.py draws them.
struct Script {
  enum Step {
    case press([String])
    case type(String)
    case wait(String)
    case gone(String)
  }

  /// Why a script cannot be read.
  struct Flaw: Error, CustomStringConvertible {
    let description: String
  }

  let name: String
  /// Whether it is about SmolLM2 and not about the sample.
  private(set) var needsSmolLM2 = false
  /// The most keys that it may take; nil for any number.
  private(set) var mostKeys: Int?
  private(set) var size = (columns: 120, rows: 36)
  private(set) var steps: [Step] = []

  private static let folder = Pane.root.appending(path: "Tests/EndToEndTests/Scripts")

  /// The names of all scripts.
  static var names: [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { $0.hasSuffix(".txt") }.map { String($0.dropLast(4)) }.sorted()
  }

  init(named name: String) throws {
    self.name = name
    let text = try String(
      contentsOf: Self.folder.appending(path: "\(name).txt"), encoding: .utf8)
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      let rest = words.count > 1 ? words[1] : ""
      switch words[0] {
      case "model": needsSmolLM2 = rest == "smollm2"
      case "most": mostKeys = Int(rest)
      case "size":
        let sides = rest.split(separator: " ").compactMap { Int($0) }
        guard sides.count == 2 else { throw Flaw(description: "\(name): \(line)") }
        size = (sides[0], sides[1])
      case "press": steps.append(.press(rest.split(separator: " ").map(String.init)))
      case "type": steps.append(.type(rest))
      case "wait": steps.append(.wait(rest))
      case "gone": steps.append(.gone(rest))
      case "say", "rest", "theme": break
      default: throw Flaw(description: "\(name): no step is called \(words[0])")
      }
    }
  }

  /// How many keys a person presses: a letter of a text is one.
  var keys: Int {
    steps.reduce(0) { sum, step in
      switch step {
      case .press(let keys): sum + keys.count
      case .type(let text): sum + text.count
      case .wait, .gone: sum
      }
    }
  }

  /// Does all of it in a pane that runs the program on the script's model.
  func replay(in pane: Pane) throws {
    for step in steps {
      switch step {
      case .press(let keys): for key in keys { try pane.press(key) }
      case .type(let text): try pane.type(text)
      case .wait(let text): try pane.wait(for: text, seconds: 600)
      case .gone(let text):
        try pane.wait(for: "a screen without “\(text)”", seconds: 600) { !$0.contains(text) }
      }
    }
  }
}
