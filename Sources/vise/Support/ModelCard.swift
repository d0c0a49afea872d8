import Checkpoints
import Compression
import Export

/// The README of a family of sizes: what each file is, what it costs, and how that was found.
struct ModelCard {
  private let model: ModelDescription
  private let target: ExportTarget
  /// What the sizes were measured on; nil for nothing.
  private let text: String?
  var rungs: [LadderRung] = []

  init(_ model: ModelDescription, target: ExportTarget, text: String?) {
    (self.model, self.target, self.text) = (model, target, text)
  }

  private static let headings = [
    "file", "MB", "bpw", "KLD, predicted", "KLD, measured", "PPL",
  ]

  private func cells(_ rung: LadderRung) -> [String] {
    let error = rung.kldError.value.map { " ± \($0.significant(2))" } ?? ""
    return [
      rung.path.fileName, rung.bytes.megabytes, rung.bitsPerWeight.fixed(2),
      rung.predictedKld.significant(3),
      rung.kld.value.map { $0.significant(3) + error } ?? "–",
      rung.ppl.value.map { $0.fixed(3) } ?? "–",
    ]
  }

  /// For a terminal.
  var table: String {
    var table = TextTable(Self.headings, words: [0])
    for rung in rungs { table.add(cells(rung)) }
    return table.text
  }

  /// The page.
  var markdown: String {
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
    let measured =
      text.map {
        "Measured on `\($0.fileName)`: the files beside the original, both reading the same windows, in nats a token with "
          + "the standard error over windows."
      } ?? "Nothing was measured yet; `vise evaluate` and `vise compare` do."
    let rows = [line(Self.headings), "|---|--:|--:|--:|--:|--:|"] + rungs.map { line(cells($0)) }
    return """
      # \(model.name), in \(rungs.count == 1 ? "one size" : "\(rungs.count) sizes")

      For \(target.rawValue). Each file is the plan of least predicted KLD from the original in its bytes, layer by layer; the
      plans are beside the files, and each file's receipt says what it was made from: `vise verify FILE` checks it.

      \(rows.joined(separator: "\n"))

      The original has \(model.tensorBytes.megabytes) MB. \(measured)

      """
  }
}
