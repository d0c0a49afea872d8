import Compression
import FoundationEssentials

extension Report {
  /// The report's files: the same content to read, to quote and to compute with.
  ///
  /// - Returns: `report.html` (one file that needs no network), `report.md` and `report.json`.
  public var layout: ExportLayout {
    ExportLayout(files: [
      FileLayout(name: "report.html", contents: Array(html.utf8)),
      FileLayout(name: "report.md", contents: Array(markdown.utf8)),
      FileLayout(name: "report.json", contents: json),
    ])
  }

  /// All of it, keys in snake case; what is not finite is a text.
  var json: [UInt8] {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    // Plain values always have a JSON form.
    return (try? encoder.encode(self)).map { Array($0) + [UInt8(ascii: "\n")] } ?? []
  }
}

extension ReportFigure {
  /// The value with its error: `0.0123 ± 0.0004 nats/token`.
  var text: String {
    let error = standardError.map { " ± \($0.significant(2))" } ?? ""
    return value.significant(4) + error + (unit.isEmpty ? "" : " \(unit)")
  }

  /// `predicted` or `measured`, and how.
  var origin: String { (isPredicted ? "predicted" : "measured") + (how.isEmpty ? "" : ": \(how)") }
}

extension ReportLayer {
  /// SQNR in dB; empty for kept layers, `exact` where nothing is lost.
  var sqnr: String {
    guard let report else { return "" }
    return report.error.sqnr.map { $0.fixed(2) } ?? "exact"
  }
}
