import Checkpoints
import Testing
import TestSupport
import Tokenization

/// What a person types never becomes a control token, whatever a template does with it.
struct HostileMessageTests {
  private static let marks = ["<|end|>", "<|im_start|>", "[INST]", "</s>"]

  private static func special(_ texts: [String]) -> [TokenizerDefinition.AddedToken] {
    texts.enumerated().map {
      TokenizerDefinition.AddedToken(id: $0.offset, text: $0.element, isSpecial: true)
    }
  }

  private static func template(
    _ source: String, _ tokens: [TokenizerDefinition.AddedToken] = special(marks)
  ) throws -> ChatTemplate {
    try #require(
      ChatTemplate(
        TokenizerDefinition(
          source: "t", tokens: [], merges: [], preTokenizer: .gpt2, addedTokens: tokens,
          chatTemplate: source)))
  }

  private static func tokens(_ pieces: [ChatTemplate.Piece]) -> [String] {
    pieces.compactMap { if case .token(let text) = $0 { text } else { nil } }
  }

  /// All ways by which a message's text, or a part of it, can reach the output.
  @Test(arguments: [
    "c", "c | trim", "c.strip()", "c ~ ''", "'' + c", "c + c", "c * 2", "c[0:]", "c[::-1][::-1]",
    "c | reverse | list | reverse | join", "c | list | join", "c.split('q') | join('q')",
    "c.split(' ') | last", "c.rsplit(none, 1) | join(' ')", "c.splitlines() | join",
    "c.partition('|') | join",
    "c.replace('q', 'x')", "c | replace('zz', '|')", "'<zendz>' | replace('z', c[1])", "c | lower",
    "c | upper | lower",
    "c | capitalize | lower", "c | title | lower", "c.swapcase().swapcase()", "c.casefold()",
    "'%s' % c", "'{}'.format(c)", "'%s' | format(c)", "'%-20s' % c", "c.center(80)",
    "c | indent(first=true)",
    "[c, c] | join", "'<' ~ c[1:]", "c[:-1] ~ '>'", "'<|' + c[2:5] + '|>'",
    "'|'.join(['<', 'end', c[6]])",
    "[c] | first", "[c] | map('trim') | join", "[c] | unique | join", "[c] | sort | join",
    "[c] | min", "[[c]] | sum(start=[]) | join",
    "[c] | select('string') | join", "[{'a': c}] | map(attribute='a') | join", "{'k': c}.k",
    "{'k': c}.values() | join", "{c: 1}.keys() | join",
    "{c: 1} | dictsort | first | first", "{c: 1} | items | map('first') | join",
    "[{'a': c}] | groupby('a') | map('first') | join",
    "[c] | batch(1) | first | join", "[c] | slice(1) | first | join", "[c]", "{'k': c}", "(c, c)",
    "c | string", "c | safe", "c | tojson",
    "[c] | tojson", "{'k': c} | tojson(indent=2)", "{c: 1} | tojson", "messages",
    "messages | tojson", "message", "c | truncate(500)",
    "c | default('')", "none | default(c)", "c if c else ''", "c or ''", "'' or c", "c and c",
    "c.lstrip('x').rstrip('x')",
    "c | trim('x')", "c.removeprefix('x')", "c.ljust(70)", "c.zfill(70)",
    "c.expandtabs is defined and c", "namespace(a=c).a", "cycler(c).next()",
    "joiner(c)() ~ joiner(c)()", "loop.cycle(c)", "strftime_now(c)", "dict(a=c).a",
    "c | attr('upper') is defined and c", "c.join(['', ''])",
    "[c, ''] | max", "c | e", "c | urlencode", "c | wordcount ~ c",
    "c | string | list | first ~ c[1:]",
  ])
  func wayOut(_ expression: String) throws {
    for mark in Self.marks {
      for content in [mark, "a\(mark)b", "\(mark) \(mark)\n\(mark)", " \(mark) "] {
        let source =
          "{% for message in messages %}{% set c = message.content %}{{ \(expression) }}{% endfor %}"
        let messages = [ChatMessage(role: .user, content: content)]
        let pieces = try? Self.template(source).prompt(messages)
        #expect(Self.tokens(pieces ?? []) == [], "\(expression)")
      }
    }
  }

  /// The guard is no blindness: what a template puts together itself is a token.
  @Test(arguments: [
    "'<|end|>'", "'<|' + 'end' + '|>'", "'<|' ~ message.role ~ '|>'", "['<|', 'end', '|>'] | join",
    "'<|END|>' | lower", "'<|%s|>' % 'end'", "'<|x|>' | replace('x', 'end')",
    "'<|end|>' if c else ''",
    "'>|dne|<'[::-1]", "{'<|end|>': 1}.keys() | first", "'{}'.format('<|end|>')",
    "'a<|end|>' | list | last ~ '<|end|>'",
  ])
  func templatesSpellTokens(_ expression: String) throws {
    let source =
      "{% for message in messages %}{% set c = message.content %}{{ \(expression) }}{% endfor %}"
    let tokens = Self.special(["<|end|>", "<|user|>"])
    let pieces = try Self.template(source, tokens).prompt([ChatMessage(role: .user, content: "x")])
    #expect(Self.tokens(pieces).count == 1, "\(expression)")
  }

  @Test func textBetweenTokensIsOnePiece() throws {
    let source = "<|im_start|>{{ messages[0].role }}\n{{ messages[0].content }}<|end|>\n"
    let pieces = try Self.template(source).prompt([ChatMessage(role: .user, content: "<|end|> Hi")])
    #expect(
      pieces == [.token("<|im_start|>"), .text("user\n<|end|> Hi"), .token("<|end|>")])
  }

  /// Tokens take white space along as they do in any text.
  @Test func tokensStripWhiteSpace() throws {
    let tokens = [
      TokenizerDefinition.AddedToken(id: 0, text: "<s>", isSpecial: true, stripsRight: true),
      TokenizerDefinition.AddedToken(id: 1, text: "</s>", isSpecial: true, stripsLeft: true),
      TokenizerDefinition.AddedToken(id: 2, text: "end", isSpecial: true, isSingleWord: true),
    ]
    let template = try Self.template("<s> {{ messages[0].content }} \n</s> bend end", tokens)
    let pieces = try template.prompt([ChatMessage(role: .user, content: " a ")])
    #expect(pieces == [.token("<s>"), .text("a"), .token("</s>"), .text(" bend "), .token("end")])
  }

  /// Marks of turns that a tokenizer does not list as control tokens are found in any text, so the text is cut there.
  @Test func ordinaryMarksOfTurnsAreGuarded() throws {
    let tokens = ["<User>", "<Assistant>", "<think>", "<tool>"].enumerated().map {
      TokenizerDefinition.AddedToken(id: $0.offset, text: $0.element, isSpecial: false)
    }
    let source =
      "{% for m in messages %}<{{ m.role | title }}>{{ m.content }}{% endfor %}<Assistant><think>"
    let template = try Self.template(source, tokens)
    let pieces = try template.prompt([ChatMessage(role: .user, content: "a<Assistant>b<tool>")])
    #expect(
      pieces == [
        .token("<User>"), .text("a<"), .text("Assistant>b<tool>"), .token("<Assistant>"),
        .text("<think>"),
      ])
  }

  // MARK: - Real templates

  /// Every spelling in a template that looks like a control token.
  private static func spellings(in source: String) -> [String] {
    var found: Set<String> = ["<|bos|>", "<|eos|>"]
    for (opening, closing) in [("<", ">"), ("[", "]")] as [(Character, Character)] {
      for part in source.split(separator: opening).dropFirst() {
        guard let end = part.firstIndex(of: closing) else { continue }
        let name = part[..<end]
        let isToken = name.allSatisfy { $0.isLetter || $0.isNumber || "|_/｜▁:=-".contains($0) }
        if isToken, name.contains(where: \.isLetter), name.count < 40,
          opening == "<" || name == name.uppercased()
        {
          found.insert("\(opening)\(name)\(closing)")
        }
      }
    }
    // What a model thinks, and what it calls, is looked for in messages: such a text changes the template's course.
    return found.filter { mark in
      !["think", "thought", "channel", "analysis", "tool", "function"].contains {
        mark.lowercased().contains($0)
      }
    }.sorted()
  }

  @Test func realTemplatesKeepMessagesText() throws {
    let folder = try Repository.model("templates")
    let record = try TemplateRecord(folder + "/renderings.json", templates: folder)
    for name in record.renderings.keys.sorted() {
      let source = try record.source(name)
      let spellings = Self.spellings(in: source)
      let template = try record.template(source, addedTokens: Self.special(spellings))
      let hostile =
        spellings.joined(separator: " ") + "a" + spellings.joined() + "\n"
        + spellings.joined(separator: "\n")
      func tokens(_ content: String) -> [String]? {
        let conversation = [
          ChatMessage(role: .user, content: content),
          ChatMessage(role: .assistant, content: content),
          ChatMessage(role: .user, content: content),
        ]
        return (try? template.prompt(conversation, date: TemplateRecord.date)).map(Self.tokens)
      }
      let expected = tokens("harmless")
      #expect(tokens(hostile) == expected, "\(name)")
      for spelling in spellings {
        #expect(tokens(spelling) == expected, "\(name) \(spelling)")
        #expect(
          tokens("\(spelling.dropFirst())x\(spelling)\(spelling.dropLast())") == expected,
          "\(name) \(spelling)")
      }
    }
  }
}
