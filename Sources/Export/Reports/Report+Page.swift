import Compression

extension Report {
  /// The report as one page that needs nothing else.
  var html: String {
    let page: Markup = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <title>\(model.name) under a plan</title>
      <style>
      \(Self.style)
      </style>
      </head>
      <body>
      \([head, figureTable, frontierSection, mapSection, answerSection, layerSection, planSection])
      </body>
      </html>

      """
    return page.text
  }

  private var head: Markup {
    let saved = 100 * (1 - Double(bytes) / Double(max(1, model.bytes)))
    var tiles = [
      tile("\(bytes.megabytes) MB", "of \(model.bytes.megabytes), \(saved.fixed(1)) % saved"),
      tile(bitsPerWeight.fixed(3), "bits a weight"),
    ]
    tiles += figures.prefix(4).map { figure in
      tile(figure.text, figure.name + (figure.isPredicted ? ", predicted" : ""))
    }
    return """
      <h1>\(model.name)</h1>
      <p class="quiet">\(model.architecture), \(model.parameters) weights, fingerprint \
      <code>\(String(model.fingerprint.prefix(16)))</code></p>
      <div class="tiles">\(tiles)</div>
      """
  }

  private func tile(_ value: String, _ name: String) -> Markup {
    "<div class=\"tile\"><b>\(value)</b>\(name)</div>"
  }

  private var figureTable: Markup {
    guard !figures.isEmpty else { return "" }
    let rows = figures.map { figure -> Markup in
      "<tr><td>\(figure.name)</td><td>\(figure.text)</td><td>\(figure.origin)</td></tr>\n"
    }
    return """
      <h2>Figures</h2>
      <table><tr><th>figure</th><th>value</th><th>from</th></tr>
      \(rows)</table>

      """
  }

  private var frontierSection: Markup {
    guard let drawing = frontier.flatMap(FrontierDrawing.init) else { return "" }
    return """
      <h2>KLD against size</h2>
      <p class="quiet">The line is the least predicted KLD of each size. Full marks are measured, \
      hollow ones predicted.</p>
      \(drawing.svg)

      """
  }

  private var answerSection: Markup {
    guard !answers.isEmpty else { return "" }
    let pieces = answers.map { answer -> Markup in
      """
      <div class="answers"><div><p class="quiet">Prompt (\(answer.sampling))</p>\
      <pre>\(answer.prompt)</pre></div>\
      <div><p class="quiet">Original</p><pre>\(answer.original)</pre></div>\
      <div><p class="quiet">Compressed</p><pre>\(answer.compressed)</pre></div></div>

      """
    }
    return "<h2>Answers</h2>\n\(pieces)"
  }

  private var layerSection: Markup {
    let rows = layers.map { layer -> Markup in
      let drawings: Markup =
        if let report = layer.report {
          "<td>\(Self.drawing(of: report.before, and: report.after))</td>"
            + "<td>\(Self.drawing(of: report.difference))</td>"
        } else {
          "<td></td><td></td>"
        }
      return """
        <tr><td><code>\(layer.name)</code></td><td>\(layer.scheme)</td>\
        <td class="number">\(layer.originalBytes)</td><td class="number">\(layer.bytes)</td>\
        <td class="number">\(layer.bitsPerWeight.fixed(3))</td><td class="number">\(layer.sqnr)</td>\
        \(drawings)</tr>

        """
    }
    return """
      <h2>Layers</h2>
      <p class="quiet">Histograms: weights before (area) and after (line) over the same range, and \
      what changed; heights are square roots of counts.</p>
      <div class="wide"><table><tr><th>layer</th><th>scheme</th><th class="number">bytes before</th>\
      <th class="number">bytes</th><th class="number">bpw</th><th class="number">SQNR, dB</th>\
      <th>weights</th><th>change</th></tr>
      \(rows)</table></div>\(notes.map { note -> Markup in "\n<p>\(note).</p>" })

      """
  }

  private var planSection: Markup {
    "<h2>Plan</h2>\n<details open=\"\"><summary>as its file says it</summary><pre>\(plan)</pre></details>"
  }
}

extension Markup {
  static func + (first: Markup, second: Markup) -> Markup { "\(first)\(second)" }
}
