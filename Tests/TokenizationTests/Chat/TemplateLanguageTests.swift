import Checkpoints
import Testing
import TestSupport
import Tokenization

/// The template language piece by piece, on small templates of the fixtures, against Jinja2.
struct TemplateLanguageTests {
  private static let record = Result {
    try TemplateRecord(
      Repository.fixture("templates.json", of: "TokenizationTests"),
      templates: Repository.fixture("templates", of: "TokenizationTests"))
  }

  /// What a template writes; nil and why if it writes nothing.
  private func rendering(
    _ source: String, _ item: TemplateRecord.Case
  ) throws -> (text: String?, reason: String) {
    let template = try Self.record.get().template(source)
    do throws(ChatTemplateError) {
      return (TemplateRecord.text(try TemplateRecord.pieces(template, item)), "")
    } catch {
      return (nil, error.description)
    }
  }

  @Test func templatesEqualTheOracle() throws {
    let record = try Self.record.get()
    #expect(record.renderings.count >= 6)
    for (name, renderings) in record.renderings {
      let source = try record.source(name)
      for (item, expected) in zip(record.cases, renderings) {
        let found = try rendering(source, item)
        #expect(found.text == expected, "\(name): \(found.reason)")
      }
    }
  }

  @Test func linesEqualTheOracle() throws {
    let record = try Self.record.get()
    let item = try #require(record.lineCase)
    #expect(record.lines.count > 100)
    for line in record.lines {
      let found = try rendering(line.line, item)
      #expect(found.text == line.text, "\(line.line): \(found.reason)")
    }
  }
}
