/// A part of a template's source, and the line that it starts on.
struct TemplateToken: Sendable {
  enum Kind: Hashable, Sendable {
    /// Text outside of tags.
    case data(TemplateText)
    case printBegin, printEnd, tagBegin, tagEnd
    case name(String)
    case string(TemplateText)
    case integer(Int)
    case number(Double)
    /// An operator or a bracket.
    case mark(String)
    case end
  }

  let kind: Kind
  let line: Int

  /// The token as a message names it.
  var description: String {
    switch kind {
    case .data: "text"
    case .printBegin: "{{"
    case .printEnd: "}}"
    case .tagBegin: "{%"
    case .tagEnd: "%}"
    case .name(let name): name
    case .string: "a string"
    case .integer, .number: "a number"
    case .mark(let mark): mark
    case .end: "the end of the template"
    }
  }
}
