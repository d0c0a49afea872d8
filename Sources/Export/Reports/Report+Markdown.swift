import Compression

extension Report {
  /// The report as Markdown, without its drawings.
  var markdown: String {
    var lines = ["# \(Self.escaped(model.name)) under a plan", ""]
    lines += [
      "\(model.architecture), \(model.parameters) weights, fingerprint `\(model.fingerprint)`.", "",
      "\(bytes.megabytes) MB of tensors, \(bitsPerWeight.fixed(3)) bits a weight; "
        + "the original has \(model.bytes.megabytes) MB.", "",
    ]
    lines += figureLines + layerLines + frontierLines + answerLines
    lines += ["## Plan", "", Self.fenced(plan, as: "yaml"), ""]
    return lines.joined(separator: "\n")
  }

  private var figureLines: [String] {
    guard !figures.isEmpty else { return [] }
    let rows = figures.map { [$0.name, $0.text, $0.origin] }
    return ["## Figures", ""] + Self.table(["figure", "value", "from"], rows) + [""]
  }

  private var layerLines: [String] {
    let rows = layers.map { layer in
      [
        layer.name, layer.scheme, String(layer.originalBytes), String(layer.bytes),
        layer.bitsPerWeight.fixed(3), layer.sqnr,
      ]
    }
    return ["## Layers", ""]
      + Self.table(["layer", "scheme", "bytes before", "bytes", "bpw", "SQNR, dB"], rows) + [""]
      + notes.flatMap { [Self.escaped($0) + ".", ""] }
  }

  private var frontierLines: [String] {
    guard let frontier else { return [] }
    let rows = frontier.marks.map { mark in
      [
        mark.name, mark.bytes.megabytes, mark.divergence.significant(3),
        mark.isMeasured ? "measured" : "predicted",
      ]
    }
    return ["## Other plans", ""] + Self.table(["plan", "MB", "KLD, nats a token", ""], rows) + [""]
  }

  private var answerLines: [String] {
    guard !answers.isEmpty else { return [] }
    return ["## Answers", ""]
      + answers.flatMap { answer in
        [
          "Prompt (\(answer.sampling)):", "", Self.fenced(answer.prompt), "", "Original:", "",
          Self.fenced(answer.original), "", "Compressed:", "", Self.fenced(answer.compressed), "",
        ]
      }
  }

  private static func table(_ head: [String], _ rows: [[String]]) -> [String] {
    let rule = head.map { _ in "---" }
    return ([head, rule] + rows).map { cells in
      "| " + cells.map { escaped($0) }.joined(separator: " | ") + " |"
    }
  }

  /// Text that stays in its cell and means nothing else.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for character in text {
      if character.isNewline {
        escaped.append(" ")
      } else {
        if "\\`*[]<>|#".contains(character) { escaped.append("\\") }
        escaped.append(character)
      }
    }
    return escaped
  }

  /// A block of text as it is, whatever backticks it has.
  private static func fenced(_ text: String, as language: String = "") -> String {
    var (longest, run) = (0, 0)
    for character in text {
      run = character == "`" ? run + 1 : 0
      longest = max(longest, run)
    }
    let fence = String(repeating: "`", count: max(3, longest + 1))
    return "\(fence)\(language)\n\(text)\(text.hasSuffix("\n") ? "" : "\n")\(fence)"
  }
}
