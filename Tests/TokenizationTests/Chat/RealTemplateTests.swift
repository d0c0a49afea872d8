import Checkpoints
import Testing
import TestSupport
import Tokenization

/// The chat templates of 70 models, which `make models` fetches, against Jinja2.
struct RealTemplateTests {
  /// Templates that Vise refuses where Jinja2 writes something, and why.
  private static let refused: [String: String] = [:]

  private static let record = Result {
    let folder = try Repository.model("templates")
    return try TemplateRecord(folder + "/renderings.json", templates: folder)
  }

  @Test func renderingsEqualTheOracle() throws {
    let record = try Self.record.get()
    #expect(record.renderings.count >= 66)
    for (name, renderings) in record.renderings {
      let template = try record.template(try record.source(name))
      #expect(template.problem == nil, "\(name)")
      for (item, expected) in zip(record.cases, renderings) {
        let found: String?
        var reason = ""
        do throws(ChatTemplateError) {
          found = TemplateRecord.text(try TemplateRecord.pieces(template, item))
        } catch {
          found = nil
          reason = error.description
        }
        #expect(
          (found == expected) == (Self.refused[name] == nil), "\(name) \(item): \(reason)")
      }
    }
  }
}
