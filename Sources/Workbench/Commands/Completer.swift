import Checkpoints
import Compression
import Export
import Fitting
import Sessions
import Tensors

/// Finds what could complete the text of an input line.
struct Completer {
  let state: AppState

  /// The most completions that are offered.
  static let limit = 200

  /// Completions of the whole line, best first.
  func completions(for line: InputLine) -> [Completion] {
    switch line.purpose {
    case .command:
      guard let action = line.action else { return commands(startingWith: line.editor.text) }
      return arguments(for: action.argument, startingWith: line.argumentText).map {
        Completion("\(action.rawValue) \($0.text)", label: $0.label, help: $0.help)
      }
    case .filter: return filterWords(after: line.editor.text)
    case .argument(let action):
      return arguments(for: action.argument, startingWith: line.argumentText)
    }
  }

  private func commands(startingWith text: String) -> [Completion] {
    state.keys.actionsInOrder.filter { !$0.isLocal && $0.rawValue.hasPrefix(text) }.map { action in
      let needsMore = action.argument != .none
      return Completion(
        needsMore ? action.rawValue + " " : action.rawValue, label: action.rawValue,
        help: state.keys.entry(for: action)?.help ?? "")
    }
  }

  private func arguments(for kind: ArgumentKind, startingWith text: String) -> [Completion] {
    let all: [Completion]
    switch kind {
    case .none, .text, .system: return []
    case .prompt: return PromptWords.file(of: text) == nil ? [] : promptFiles(startingWith: text)
    case .planPath, .checkpointPath, .textPath, .exportPath: return paths(startingWith: text)
    case .sensitivity: return sensitivityWords(startingWith: text)
    case .history: return pathWords("csv", help: "writes all evaluations", startingWith: text)
    case .layers: return filterWords(after: text)
    case .bits, .group:
      if let blank = text.firstIndex(of: " ") {
        let layers = text[text.index(after: blank)...]
        return filterWords(after: String(layers)).map {
          Completion("\(text[..<blank]) \($0.text)", label: $0.label, help: $0.help)
        }
      }
      all = kind == .bits ? QuantizationScheme.widths.map { Completion(String($0)) } : groups
    case .method: return methodWords(after: text)
    case .prune: return pruneWords(startingWith: text)
    case .filter: return filterWords(after: text)
    case .columns: return columnWords(after: text)
    case .setting: return settings(startingWith: text)
    case .target: all = exportTargets
    case .sparsity: all = sparsities
    case .sort: all = SortOrder.allCases.map { Completion($0.rawValue, help: $0.title) }
    case .budget: all = budgets
    case .context: all = contexts
    case .batch: all = [1, 2, 4, 8, 16, 32].map { Completion(String($0)) }
    case .cachePrecision: all = CacheType.allCases.map { Completion($0.rawValue) }
    case .server: all = servers
    case .cluster: all = clusters
    case .snapshot: all = state.snapshots.all.map { Completion($0.name) }
    case .theme: all = state.themeChoices.map { Completion($0) }
    case .matrixFigure:
      all =
        MatrixFigure.allCases.map { Completion($0.rawValue, help: $0.title) }
        + [Completion(AppState.noMatrix, help: "the list of layers")]
    case .view: all = ReadingState.View.allCases.map { Completion($0.rawValue) }
    case .inspectorTab: all = InspectorState.Tab.allCases.map { Completion($0.rawValue) }
    }
    return all.filter { $0.text.hasPrefix(text) }
  }

  /// Group sizes that divide the rows of all layers the change is for.
  private var groups: [Completion] {
    validGroupSizes.map { Completion(String($0), help: "one scale for \($0) weights") }
      + [Completion("channel", help: "one scale a row")]
  }

  private var exportTargets: [Completion] {
    TargetLimits.all.map {
      Completion($0.target.rawValue, help: "\($0.name), loads \($0.format.rawValue)")
    }
      + [Completion(AppState.noTarget, help: "bytes as tensors, anything goes")]
  }

  /// Group sizes that divide the rows of every target, ascending.
  var validGroupSizes: [Int] {
    guard let model = state.model else { return GroupSize.sizes }
    let columns = Set(state.targets.map { model.layers[$0].columns })
    return GroupSize.sizes.filter { size in columns.allSatisfy { $0 % size == 0 } }
  }

  private var sparsities: [Completion] {
    let columns = Set(state.targets.compactMap { state.model?.layers[$0].columns })
    let structured = [(2, 4), (1, 4), (4, 8)].filter { pattern in
      columns.allSatisfy { $0 % pattern.1 == 0 }
    }
    return [Completion("none", help: "no zeros put in")]
      + [25, 30, 50, 60, 70].map { Completion("\($0)%", help: "of the smallest weights become 0") }
      + structured.map {
        Completion("\($0.0):\($0.1)", help: "\($0.0) of every \($0.1) weights survive")
      }
      + PruningMethod.allCases.map {
        Completion($0.rawValue, help: SchemeWords.help(for: $0))
      }
  }

  /// An example of each kind of budget that suits the model.
  private var budgets: [Completion] {
    let bytes = state.model.map { $0.description.tensorBytes * 3 / 10 } ?? 90_000_000
    let size = Figures.bytes(bytes).filter { $0 != " " }
    return [
      Completion(
        size, help: state.target.map { "bytes of \($0.rawValue)'s files" } ?? "bytes of all tensors"
      ),
      Completion(
        "24 GB with 32k of context", help: "memory for weights, keys and values and the rest"),
      Completion("4.5bpw", help: "bits a weight"),
      Completion("kld=0.05", help: "the fewest bytes at that KLD"),
    ]
  }

  /// Powers of two as far as the model goes.
  private var contexts: [Completion] {
    let most = state.model?.description.contextLength ?? 0
    return (11...17).map { 1 << $0 }.filter { $0 <= max(most, 2048) }
      .map { Completion(TokenCount.text($0), help: "\($0) tokens") }
  }

  /// Where a cluster on this machine takes jobs, or the one that was named last.
  private var clusters: [Completion] {
    [Completion(state.cluster.lastURL ?? "http://localhost:8265", help: "Ray's dashboard")]
  }

  /// Where servers listen that nobody told to listen elsewhere, and the one that answers now.
  private var servers: [Completion] {
    guard let url = state.serverURL else {
      return [
        Completion("http://localhost:8000", help: "vLLM, llama-cpp-python"),
        Completion("http://localhost:8080", help: "llama-server"),
      ]
    }
    return [Completion(url, help: "answers now"), Completion("off", help: "ask no server")]
  }

  private func sensitivityWords(startingWith text: String) -> [Completion] {
    let verbs = SensitivityVerb.allCases.map {
      pathWords($0.rawValue, help: $0.help, startingWith: text)
    }
    let isBehindVerb = SensitivityVerb.allCases.contains { text.hasPrefix($0.rawValue + " ") }
    return verbs.flatMap(\.self) + (isBehindVerb ? [] : paths(startingWith: text))
  }

  /// A word that a path follows, or what could complete the path.
  private func pathWords(
    _ word: String, help: String, startingWith text: String
  ) -> [Completion] {
    guard text.hasPrefix(word + " ") else {
      return word.hasPrefix(text) ? [Completion(word + " ", label: word, help: help)] : []
    }
    return paths(startingWith: String(text.dropFirst(word.count).trimmingBlanks())).map {
      Completion("\(word) \($0.text)", label: $0.label)
    }
  }

  private func pruneWords(startingWith text: String) -> [Completion] {
    for kind in PruneWords.Kind.allCases where text.hasPrefix(kind.rawValue + " ") {
      return kind.examples.map { Completion("\(kind.rawValue) \($0.text)", help: $0.help) }
        .filter { $0.text.hasPrefix(text) }
    }
    return PruneWords.Kind.allCases.filter { $0.rawValue.hasPrefix(text) }.map { kind in
      Completion(
        kind.examples.isEmpty ? kind.rawValue : kind.rawValue + " ", label: kind.rawValue,
        help: kind.help)
    }
  }

  private func methodWords(after text: String) -> [Completion] {
    words(SchemeWords.methodWords.map { ($0.word, $0.help) }, after: text)
  }

  /// Roles, and figures that conditions can be made of.
  private func filterWords(after text: String) -> [Completion] {
    let figures = LayerCondition.Figure.allCases.map { ($0.rawValue + $0.sign, $0.help) }
    return words(Role.common.map { ($0.rawValue, "") } + figures, after: text)
  }

  private func columnWords(after text: String) -> [Completion] {
    words(
      TableColumn.allCases.map { ($0.rawValue, $0.facts.help) }
        + [(TableColumn.automatic, "as many as have room, the most important first")], after: text)
  }

  /// Words that could be the next of several.
  private func words(_ all: [(word: String, help: String)], after text: String) -> [Completion] {
    let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    let begun = words.last ?? ""
    let before = words.dropLast().map { $0 + " " }.joined()
    return all.filter { $0.word.hasPrefix(begun) && !words.dropLast().contains($0.word) }
      .map { Completion(before + $0.word, label: $0.word, help: $0.help) }
  }

  private func settings(startingWith text: String) -> [Completion] {
    guard let blank = text.firstIndex(of: " ") else {
      return Setting.allCases.filter { $0.rawValue.hasPrefix(text) }.map {
        Completion($0.rawValue + " ", label: $0.rawValue, help: $0.help)
      }
    }
    guard let setting = Setting(rawValue: String(text[..<blank])) else { return [] }
    let value = text[blank...].trimmingBlanks()
    return setting.examples.filter { $0.hasPrefix(value) }.map {
      Completion("\(setting.rawValue) \($0)", label: $0, help: setting.help)
    }
  }

  private func paths(startingWith text: String) -> [Completion] {
    let directory = Self.directory(of: text)
    let name = text.dropFirst(directory.count)
    return (state.listings[directory] ?? [])
      .filter { $0.hasPrefix(name) && (name.hasPrefix(".") || !$0.hasPrefix(".")) }
      .prefix(Self.limit).map { Completion(directory + $0, label: $0) }
  }

  /// Files that a prompt may be in, with the `@` that may stand before them.
  private func promptFiles(startingWith text: String) -> [Completion] {
    let sign = text.hasPrefix("@") ? "@" : ""
    return paths(startingWith: String(text.dropFirst(sign.count)))
      .map { Completion(sign + $0.text, label: $0.label) }
  }

  /// The part of a path up to its last slash: what must be listed to complete it.
  static func directory(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
  }
}

extension AppState {
  /// Renews the line's completions after its text changed, and asks for a directory if need be.
  mutating func renewCompletions() -> [Effect] {
    guard var line else { return [] }
    line.completions = Completer(state: self).completions(for: line)
    line.chosen = nil
    line.flaw = nil
    self.line = line
    guard let kind = line.action?.argument,
      kind.isPath || kind == .prompt && PromptWords.file(of: line.argumentText) != nil
    else { return [] }
    let directory = Completer.directory(of: line.pathText)
    return listings[directory] == nil ? [.list(directory: directory)] : []
  }
}
