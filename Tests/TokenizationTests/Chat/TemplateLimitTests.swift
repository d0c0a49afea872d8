import Checkpoints
import Testing
import TestSupport
import Tokenization

/// Templates come with models from anywhere: they end, within limits, with a text or an error.
struct TemplateLimitTests {
  private func template(_ source: String) throws -> ChatTemplate {
    try #require(
      ChatTemplate(
        TokenizerDefinition(
          source: "t", tokens: [], merges: [], preTokenizer: .gpt2, chatTemplate: source)))
  }

  private func reason(_ source: String) throws -> String? {
    let question = [ChatMessage(role: .user, content: "question")]
    let template = try template(source)
    do throws(ChatTemplateError) {
      _ = try template.prompt(question)
      return nil
    } catch {
      return error.reason
    }
  }

  private static let doubled = "{% set ns = namespace(x='ab') %}{% for i in range(64) %}"

  @Test(arguments: [
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{{ a }}{% endfor %}{% endfor %}",
    "{% set x = range(99999) | list %}{% for a in range(99999) %}{{ x == x }}{% endfor %}",
    "{% set x = 'a' * 1000000 %}{% for a in range(99999) %}{{ 'b' in x }}{% endfor %}",
    "{% for a in range(99999) %}{{ '%.100f' % 5e-324 }}{% endfor %}",
  ])
  func stepsAreLimited(_ source: String) throws {
    let reason = try #require(try reason(source))
    #expect(
      reason.hasPrefix("runs for more than") || reason.hasPrefix("writes more than")
        || reason.hasPrefix("makes strings of more than"), "\(reason)")
  }

  /// What looks at all of a long value counts as much each time, so that no template's time grows with the square of its
  /// length.
  @Test(arguments: [
    "k is lower", "k is upper", "k | int", "k | float", "k | trim('a')", "'a'.strip(k)",
    "k.strip(k)",
    "'a'.rsplit(k)", "'a'.rpartition(k)", "k | wordcount", "'b'.startswith(t)", "m()",
    "m.arguments",
    "f(**d)", "f(*t)", "'{a1}'.format(**d)", "t.count == t.count", "(t | select) | first",
    "k in d", "d[k]", "d[k] is defined",
  ])
  func workOnLongValuesIsCounted(_ expression: String) throws {
    let names = (0..<4000).map { "a\($0)" }
    let source = """
      {%- macro m(\(names.joined(separator: ","))) %}{% endmacro -%}
      {%- macro f() %}{{ kwargs }}{{ varargs }}{% endmacro -%}
      {%- set k = 'a' * 50000 %}{% set t = range(4000) | map('string') | list %}
      {%- set t = (('x',) * 4000) %}{% set d = {\(names.map { "'\($0)':1" }.joined(separator: ","))} -%}
      {%- for i in range(90000) %}{% set x = \(expression) %}{% endfor -%}
      """
    let reason = try #require(try reason(source))
    #expect(
      reason.hasPrefix("makes strings of more than") || reason.hasPrefix("runs for more than"),
      "\(reason)")
  }

  @Test func longNamesAreRefused() throws {
    let name = String(repeating: "a", count: 1001)
    #expect(try reason("{{ \(name) }}") == "a name is too long")
    #expect(try reason("{{ x | \(String(repeating: "a.", count: 600))b }}") == "a name is too long")
    #expect(try reason("{{ {} | attr('a' * 2000) }}") == "a name is too long")
    #expect(try reason("{{ {}['a' * 2000] is defined }}{{ ('a' * 2000) is filter }}") == nil)
  }

  @Test(arguments: [
    "{{ 'a' * 1000000000000 }}", "{{ ('a' * 1000000) * 1000000 }}", "{{ [1] * 1000000000000 }}",
    doubled + "{% set ns.x = ns.x + ns.x %}{% endfor %}",
    doubled + "{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    doubled + "{% set ns.x = ns.x | replace('a', ns.x) %}{% endfor %}",
    doubled + "{% set ns.x = ns.x.replace('', ns.x) %}{% endfor %}",
    doubled + "{% set ns.x = ns.x.join(ns.x) %}{% endfor %}",
    doubled + "{% set ns.x = ns.x | list | join(ns.x) %}{% endfor %}",
    doubled + "{% set ns.x = [ns.x, ns.x] | join %}{% endfor %}",
    doubled + "{% set ns.x = '%s%s' % (ns.x, ns.x) %}{% endfor %}",
    doubled + "{% set ns.x = '{0}{0}'.format(ns.x) %}{% endfor %}",
    doubled + "{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}",
    doubled + "{% set ns.x = ns.x | indent(ns.x, true) ~ '\\n' ~ ns.x %}{% endfor %}",
    doubled + "{% set ns.x = (ns.x, ns.x) | string %}{% endfor %}",
    doubled + "{% set ns.x = [ns.x, ns.x] | tojson %}{% endfor %}",
    doubled
      + "{% set ns.x = ns.x | urlencode ~ '%%%%%%%%' %}{% endfor %}{{ ns.x | urlencode | urlencode }}{{ 1 * '9' * 99999999 }}",
    "{{ 'a'.center(1000000000000) }}", "{{ 'a'.zfill(1000000000000) }}",
    "{{ 'a'.ljust(99999999) }}",
    "{{ 'a' | center(1000000000000) }}", "{{ '%1000000000000d' % 1 }}", "{{ '%-99999999s' % 'a' }}",
    "{{ 'a\\nb' | indent(1000000000000) }}", "{{ [[1]] | tojson(indent=1000000000000) }}",
    "{{ [1] | batch(1000000000000, 0) | list }}", "{{ [1] | slice(1000000000000) | list }}",
    "{{ [[1, 2], 3] | tojson(indent='x' * 1000000, separators=('y' * 1000000, 'z')) }}",
    "{% for a in range(99999) %}{% set x = 'a' * 1000 %}{% endfor %}{{ ('a' * 999999) * 9 }}",
  ])
  func memoryIsLimited(_ source: String) throws {
    let reason = try #require(try reason(source))
    #expect(
      reason.hasPrefix("makes strings of more than") || reason.hasPrefix("writes more than")
        || reason.hasPrefix("runs for more than"), "\(reason)")
  }

  @Test(arguments: [
    String(repeating: "(", count: 20_000), "{{ " + String(repeating: "(", count: 20_000),
    "{{ " + String(repeating: "[", count: 20_000),
    "{{ " + String(repeating: "-", count: 20_000) + "1 }}",
    "{{ " + String(repeating: "{1:", count: 20_000),
    "{{ " + String(repeating: "a[", count: 20_000), "{{ " + String(repeating: "f(", count: 20_000),
    "{{ " + String(repeating: "1 if 1 else ", count: 20_000) + "1 }}",
    String(repeating: "{% if 1 %}", count: 20_000),
    String(repeating: "{% for x in y %}", count: 20_000),
    String(repeating: "{% set x %}", count: 20_000),
    "{% set " + String(repeating: "(", count: 20_000),
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
    "{% set ns = namespace(x=1) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}",
    "{% set ns = namespace(x=1) %}{% for i in range(1000) %}{% set ns.x = {'a': ns.x} %}{% endfor %}",
    "{% set ns = namespace() %}{% set ns.x = [ns] %}{{ ns }}",
    "{% for x in [1] recursive %}{{ loop([x]) }}{% endfor %}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x == ns.x }}",
  ])
  func depthIsLimited(_ source: String) throws {
    let template = try template(source)
    if template.problem == nil, !source.hasPrefix("((") {
      #expect(try reason(source) != nil)
    }
  }

  /// Chains are no nesting: they may be as long as the template.
  @Test(arguments: ["+", "~", "*", "and", "or", "==", "| abs |", "is defined and", "or y or"])
  func longChainsAreRead(_ link: String) throws {
    let source = "{{ 1 " + String(repeating: "\(link) 1 ", count: 10_000) + "}}"
    let linked = link.hasSuffix("|") ? source.replacing("| 1", with: "| abs") : source
    #expect(try template(linked).problem == nil)
    _ = try reason(linked)
  }

  @Test(arguments: [
    ("a\n{{ 'x' + 1 }}", 2), ("{% if x %}\n\n{{ y.z }}{% endif %}{{ missing.z }}", 3),
    ("\n\n{{ raise_exception('no') }}", 3), ("{{ 1 }}\n{% nothing %}", 2), ("\n{{ 'a", 2),
  ])
  func errorsNameTheLine(_ source: String, line: Int) throws {
    let template = try template(source)
    let error = #expect(throws: ChatTemplateError.self) { try template.prompt([]) }
    #expect(error?.line == line)
    #expect(error?.description.hasPrefix("the chat template, line \(line): ") == true)
  }

  @Test func whatATemplateRaisesIsShownSafely() throws {
    let hostile = #"{{ raise_exception('a\x1b[31m\u202e\nb' ~ 'x' * 1000) }}"#
    let reason = try #require(try reason(hostile))
    #expect(reason.hasPrefix("a[31m bxxx"))
    #expect(reason.count <= 301)
  }

  @Test func damagedTemplatesNeverCrash() throws {
    var random = SeededRandom(seed: 12)
    let folder = Repository.fixture("templates", of: "TokenizationTests")
    let record = try TemplateRecord(
      Repository.fixture("templates.json", of: "TokenizationTests"), templates: folder)
    var sources = record.lines.map(\.line)
    for name in record.renderings.keys.sorted() { sources.append(try record.source(name)) }
    let snippets = [
      "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", "(", ")", "[", "]", "{", "}", "'", "\"", "\\",
      "|", ".", ":", ",",
      " if ", " else ", " for x in ", " is ", " not ", " in ", "loop", "messages", "namespace()",
      "range(9)", "endfor",
      "0", "-1", "99999999999999999999", "1e999", "*", "**", "//", "%", "~", "=", "==", "<", "\n",
      "\u{301}", "é", "🙂",
      "{% for x in messages %}", "{% endfor %}", "{% if x %}", "{% endif %}", "{% macro m(x) %}",
      "{% endmacro %}", "m(", "tojson",
      "{% set x = ", "{% raw %}", "| sort", "| map('m')", "[::-1]", "[1:]", ".split(", ".format(",
      "%s",
    ]
    let messages = [
      ChatMessage(role: .user, content: "a\nb<|end|>"), ChatMessage(role: .assistant, content: ""),
    ]
    for _ in 0..<4000 {
      var scalars = Array(sources[Int.random(in: sources.indices, using: &random)].unicodeScalars)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0...scalars.count, using: &random)
        let end = min(scalars.count, place + Int.random(in: 0...6, using: &random))
        switch Int.random(in: 0..<4, using: &random) {
        case 0: scalars.removeSubrange(place..<end)
        case 1: scalars.insert(contentsOf: Array(scalars[place..<end]), at: place)
        default:
          let snippet = snippets[Int.random(in: snippets.indices, using: &random)]
          scalars.insert(contentsOf: Array(snippet.unicodeScalars), at: place)
        }
      }
      var source = String.UnicodeScalarView()
      source.append(contentsOf: scalars)
      let template = try template(String(source))
      let pieces = try? template.prompt(messages)
      if template.problem != nil { #expect(pieces == nil) }
    }
  }
}
