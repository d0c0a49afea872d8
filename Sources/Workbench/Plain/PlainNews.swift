import Engine

/// What has changed between two states that a person who reads lines is told.
struct PlainNews {
  let lines: [String]

  init(from before: AppState, to after: AppState) {
    let text = PlainText(state: after)
    var lines: [String] = []
    let isOpened = before.model?.whole != after.model?.whole
    if isOpened { lines += text.summary + ["`help` lists the commands."] }
    // The greeting of the screen tells its keys.
    if let notice = after.notice, notice != before.notice, !isOpened || notice.kind != .success {
      lines.append(notice.spoken)
    }
    if let flaw = after.line?.flaw, flaw != before.line?.flaw { lines.append("Error: \(flaw)") }
    if after.overlay != before.overlay, after.overlay != nil { lines += text.lines }
    if after.overlay == .export, before.overlay == .export,
      after.export.preview != before.export.preview
    {
      lines += text.lines
    }
    if let line = after.line, before.line?.purpose != line.purpose {
      lines.append(Self.field(line))
    }
    if before.start.isLooking, !after.start.isLooking, after.screen == .start {
      lines += text.lines
    }
    if after.screen == .budget, after.budget.proposal != before.budget.proposal {
      lines += text.lines
    }
    if after.screen == .hardware, before.hardware.isMeasuring, !after.hardware.isMeasuring {
      lines += text.lines
    }
    if before.conversation.isRunning, !after.conversation.isRunning,
      let last = after.conversation.last
    {
      lines += text.exchange(last)
    }
    for job in after.jobs.jobs where job.kind.isWork && job.kind != .generate {
      let known = before.jobs[job.id]
      if known == nil, job.isRunning { lines.append("\(job.title): begun.") }
    }
    self.lines = lines
  }

  /// What a field asks for, and some of what it takes.
  private static func field(_ line: InputLine) -> String {
    let offered = line.editor.text.isEmpty ? "" : ", an empty line takes \(line.editor.text)"
    let examples = line.completions.prefix(8).map(\.label).joined(separator: ", ")
    let takes = examples.isEmpty || !offered.isEmpty ? "" : ", for example \(examples)"
    return "Type \(line.title)\(offered)\(takes); `cancel` leaves it."
  }
}

extension Notice {
  /// The sentence with what it means: colour tells nobody here.
  fileprivate var spoken: String {
    switch kind {
    case .info, .success: text
    case .warning: "Warning: \(text)"
    case .failure: "Error: \(text)"
    }
  }
}
