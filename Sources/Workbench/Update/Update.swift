import Checkpoints
import Compression
import Engine
import Sessions
import Terminal

/// Changes the state as the event demands and returns what the outside world is to do for it.
///
/// A pure function: the same events from the same state always lead to the same state.
func update(_ state: inout AppState, _ event: AppEvent) -> [Effect] {
  var effects: [Effect]
  switch event {
  case .input(let input): effects = state.take(input)
  case .engine(let event): effects = state.hear(event)
  case .link(let event): effects = state.take(event)
  case .file(let event): effects = state.take(event)
  case .models(let event): effects = state.take(event)
  case .machine(let event): effects = state.take(event)
  case .cluster(let event): effects = state.take(event)
  }
  effects += state.takeUpWhatWasDone()
  effects += state.settle()
  return state.withEngine(effects, isAsked: event.isInput)
}

extension AppState {
  fileprivate mutating func take(_ input: InputEvent) -> [Effect] {
    switch input {
    case .key(let press): return take(press)
    case .paste(let text): return paste(text)
    case .mouse(let event): return take(event)
    case .resize(let size):
      self.size = size
      return []
    case .wake: return []
    case .resumed: return [.redraw]
    case .background(let isLight):
      take(groundIsLight: isLight)
      return []
    case .terminate(let signal): return [.end(signal: signal)]
    case .endOfInput: return [.quit]
    }
  }

  /// What holds after every event: the cursor is on the screen, and the engine knows what is seen.
  fileprivate mutating func settle() -> [Effect] {
    let layout = ScreenLayout(self, size: size)
    table.reveal(height: layout.tableRows.rows)
    var effects = previewInspectedLayer() + readAnswers()
    let seen = layersInView(layout)
    if seen != lookedAt {
      lookedAt = seen
      if !seen.isEmpty { effects.append(.engine(.look(at: seen))) }
    }
    if let model {
      evaluations.show(history.current, schemes: model.schemes)
      snapshots.count(in: model, prunedBy: history.current.structure)
    }
    return effects + saveSnapshots() + keepTheme() + keepSession()
  }

  /// Saves the snapshots if something about them is new.
  private mutating func saveSnapshots() -> [Effect] {
    guard let model, snapshots.isUnsaved else { return [] }
    snapshots.markSaved()
    return [.writeSnapshots(snapshots.all, fingerprint: model.whole.fingerprint)]
  }

  /// Asks for a look at the layer under the cursor where no plan makes the engine report: at a kept layer, or at what a
  /// pruned one would be with as many bytes and no zeros.
  private mutating func previewInspectedLayer() -> [Effect] {
    let wanted = inspectedLayer.flatMap { wantedPreview(of: $0) }
    guard wanted != previewed else { return [] }
    var effects: [Effect] = []
    if let previewed, !isAnswered(previewed) {
      effects.append(.engine(.cancel(JobList.previewID)))
    }
    previewed = wanted
    guard let wanted else { return effects }
    return effects + [
      .engine(.preview(JobList.previewID, layer: wanted.layer, scheme: wanted.scheme))
    ]
  }

  /// What to ask for of a layer; nil when the answer is there, or the plan brings it.
  private func wantedPreview(of layer: Int) -> RequestedPreview? {
    guard let model else { return nil }
    let scheme = model.schemes[layer].keepsLayer ? .keep : model.rival(layer)
    let preview = scheme.map { RequestedPreview(layer: model.layers[layer].name, scheme: $0) }
    return preview.flatMap { isAnswered($0) ? nil : $0 }
  }

  /// Whether the engine has sent what a preview asks for, or the model is another one now.
  private func isAnswered(_ preview: RequestedPreview) -> Bool {
    guard let model, let layer = model.index(ofLayer: preview.layer) else { return true }
    return preview.scheme.keepsLayer
      ? model.reports[layer] != nil : model.rivalReport(layer)?.scheme == preview.scheme
  }

  /// Names of the layers on the screen, those under the cursor first.
  private func layersInView(_ layout: ScreenLayout) -> [String] {
    guard let model, screen == .layers else { return [] }
    var layers: [Int] = table.row.map { table.layers(of: $0, in: model) } ?? []
    let height = max(layout.tableRows.rows, 1)
    for row in table.rows.dropFirst(table.top).prefix(height) {
      if case .layer(let index) = row { layers.append(index) }
    }
    var seen: Set<Int> = []
    return layers.filter { seen.insert($0).inserted }.prefix(Self.lookLimit)
      .map { model.layers[$0].name }
  }

  /// The most layers that the engine is told of at once.
  private static let lookLimit = 64

  /// Pasted text goes into the field that is being typed into, and nowhere else.
  private mutating func paste(_ text: String) -> [Effect] {
    notice = nil
    isCancelArmed = false
    pendingPress = nil
    guard isTyping else {
      inform("Pasted text goes into a field: p opens the prompt, : the command line")
      return []
    }
    return type { editor, keepsBreaks in
      editor.insert(text, keepsLineBreaks: keepsBreaks)
      return true
    }
  }

  /// Lets `edit` change the text that has the keyboard; it says whether it did.
  mutating func type(_ edit: (inout LineEditor, _ keepsBreaks: Bool) -> Bool) -> [Effect] {
    if case .palette(var palette) = overlay {
      guard edit(&palette.editor, false) else { return [] }
      palette.selected = 0
      overlay = .palette(palette)
      return []
    }
    if case .help(let page) = overlay {
      changeHelp(page) { $0.top = edit(&$0.editor, false) ? 0 : $0.top }
      return []
    }
    if var line {
      guard edit(&line.editor, false) else { return [] }
      self.line = line
      return lineChanged()
    }
    if isPrompting { _ = edit(&conversation.editor, true) }
    return []
  }
}
