import Compression
import Foundation
import FoundationXML
import Tensors
import Testing

@testable import Export

/// Reports: pages that every parser reads, whatever texts are in them, and the same figures in all three forms.
@Suite struct ReportTests {
  /// Collects what Foundation's XML parser makes of a page.
  private final class Page: NSObject, XMLParserDelegate {
    private(set) var elements: [(name: String, attributes: [String: String])] = []
    private(set) var texts: [String] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      elements.append((name, attributes))
      texts.append("")
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
      texts[texts.count - 1] += string
    }
  }

  private static let hostile = "<script>alert(\"1\")</script> & 'x' ]]> ``` | # é\n日本"

  private static func layer(_ name: String, _ counts: [Int]) -> ReportLayer {
    let histogram = Histogram(lower: -1, upper: 1, counts: counts)
    return ReportLayer(
      name: name, role: "q_proj", block: 0, rows: 4, columns: 8, scheme: "4 bit", bits: 4,
      originalBytes: 64, bytes: 20,
      report: LayerReport(
        layer: name, scheme: .keep, standing: .exact,
        size: LayerSize(
          original: 64, codes: 16, scales: 4, zeroPoints: 0, mask: 0, padding: 0, withBitmask: nil),
        bitsPerWeight: 5,
        error: WeightError(mse: 0, sqnr: nil, sqnrBand: 0, cosine: 1, maxError: 0),
        zeroFraction: 0, before: histogram, after: histogram, difference: histogram,
        worstChannels: []))
  }

  private static func report(_ text: String = "plain") -> Report {
    Report(
      model: ReportModel(
        name: text, architecture: "llama", parameters: 100, bytes: 200, fingerprint: "0123"),
      plan: "vise: 1 # \(text)\n", layers: [layer(text, [0, 3, 9, 1]), layer("empty", [0, 0])],
      bytes: 112,
      figures: [
        ReportFigure(
          name: "mean KLD", value: 0.01234567, standardError: 0.00044, unit: "nats a token",
          how: text),
        ReportFigure(name: "PPL", value: .nan, isPredicted: true, how: ""),
      ],
      frontier: ReportFrontier(
        curve: (1...9).map { .init(bytes: $0 * 1_000_000, divergence: pow(10, -Double($0))) },
        marks: [
          .init(name: text, bytes: 3_000_000, divergence: 0.1, isMeasured: true),
          .init(name: "lossless", bytes: 9_000_000, divergence: 0),
        ]),
      answers: [
        ReportAnswer(prompt: text, sampling: "greedy", original: text, compressed: text + "`````")
      ])
  }

  private static func page(_ report: Report) throws -> Page {
    let parser = XMLParser(data: Data(report.html.utf8))
    let page = Page()
    parser.delegate = page
    #expect(
      parser.parse(), "\(String(describing: parser.parserError)) in line \(parser.lineNumber)")
    return page
  }

  @Test(arguments: ["plain", hostile])
  func pagesAreWellFormed(text: String) throws {
    let page = try Self.page(Self.report(text))
    #expect(!page.elements.contains { $0.name == "script" })
    #expect(page.texts.contains { $0 == "\(text)" })
    #expect(page.elements.count { $0.name == "svg" } == 5)
  }

  @Test func pagesNeedNoNetwork() throws {
    let page = try Self.page(Self.report())
    for element in page.elements {
      #expect(
        Set(["src", "href", "action", "xlink:href"]).isDisjoint(with: element.attributes.keys))
      #expect(!["link", "script", "img", "iframe", "object"].contains(element.name))
    }
    let html = Self.report().html
    for word in ["http:", "https:", "url(", "@import"] { #expect(!html.contains(word)) }
  }

  @Test func coordinatesAreFinite() throws {
    for element in try Self.page(Self.report()).elements {
      for (name, value) in element.attributes where ["d", "x", "y", "cx", "cy"].contains(name) {
        #expect(!value.contains("nan") && !value.contains("inf"), "\(element.name) \(name)")
      }
    }
  }

  /// A KLD of zero has no logarithm, so it is no mark; it is in the table all the same.
  @Test func marksTellMeasuredFromPredicted() throws {
    let page = try Self.page(Self.report())
    let marks = page.elements.filter { $0.name == "circle" }
    #expect(marks.map { $0.attributes["class"] } == ["measured"])
    #expect(Self.report().markdown.contains("| lossless | 9.00 | 0 | predicted |"))
  }

  @Test func markdownKeepsTextsInTheirPlace() throws {
    let lines = Self.report(Self.hostile).markdown.split(separator: "\n")
    // Cells: seven a row of layers, whatever the name; escaped bars are none.
    let row = try #require(lines.first { $0.contains("4 bit") })
    #expect(row.replacing("\\|", with: "").count { $0 == "|" } == 7)
    #expect(!row.replacing("\\<", with: "").contains("<"))
    // The fence round an answer is longer than any in it.
    #expect(lines.contains("``````"))
  }

  @Test func jsonHasTheSameFigures() throws {
    let data = Data(Self.report().json)
    let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object["bytes"] as? Int == 112)
    let figures = try #require(object["figures"] as? [[String: Any]])
    #expect(figures[0]["standard_error"] as? Double == 0.00044)
    #expect(figures[1]["value"] as? String == "nan")
    let layers = try #require(object["layers"] as? [[String: Any]])
    #expect(layers.map { $0["bytes"] as? Int } == [20, 20])
    #expect(Self.report().bitsPerWeight == 112.0 * 8 / 100)
  }

  @Test func filesHoldTheForms() {
    let layout = Self.report().layout
    #expect(layout.files.map(\.name) == ["report.html", "report.md", "report.json"])
    #expect(layout.copies.isEmpty && layout.flaw == nil)
  }
}

/// Labels of marks that lie anywhere, many of them at the same place.
@Suite struct LabelPlacementTests {
  @Test(arguments: 0..<20)
  func labelsOverlapNothing(seed: Int) {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    func next(_ limit: Int) -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(Int(state >> 33) % limit)
    }
    let marks = (0..<24).map { _ in (x: 40 + 12 * next(20), y: 40 + 12 * next(8)) }
    var placement = LabelPlacement(width: 400, height: 200, marks: marks, radius: 4)
    var boxes: [(left: Double, right: Double, top: Double, bottom: Double)] = []
    for (number, mark) in marks.enumerated() {
      let label = "plan \(number)"
      guard let place = placement.place(label, x: mark.x, y: mark.y) else { continue }
      let box = (
        left: place.x, right: place.x + 6.8 * Double(label.count), top: place.y - 10,
        bottom: place.y + 3
      )
      #expect(box.left >= 0 && box.right <= 400 && box.top >= 0 && box.bottom <= 200)
      for other in boxes {
        #expect(
          box.right <= other.left || other.right <= box.left || box.bottom <= other.top
            || other.bottom <= box.top)
      }
      for other in marks {
        #expect(
          box.right <= other.x - 4 || other.x + 4 <= box.left || box.bottom <= other.y - 4
            || other.y + 4 <= box.top)
      }
      boxes.append(box)
    }
    #expect(boxes.count >= 4)
  }
}
