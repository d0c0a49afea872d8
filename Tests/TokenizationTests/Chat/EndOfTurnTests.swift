import Checkpoints
import Testing
import Tokenization

/// The token that ends an assistant's turn in the template ends an answer, whatever else the checkpoint lists.
struct EndOfTurnTests {
  private static let chatML =
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
  private static let llama3 =
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content | trim }}<|eot_id|>{% endfor %}"
  private static let gemma = """
    {% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}\
    {% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate') }}{% endif %}\
    <start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}<end_of_turn>\n{% endfor %}
    """

  @Test(
    arguments: [
      (chatML, ["<|im_start|>", "<|im_end|>"], 1),
      (llama3, ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"], 2),
      (gemma, ["<start_of_turn>", "<end_of_turn>"], 1),
      (
        "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }} \n<|end|>\n{% endfor %}",
        ["<|user|>", "<|assistant|>", "<|end|>"], 2
      ),
      // Without an end, and where something else follows the answer, nothing is learned.
      (
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}",
        ["<|user|>", "<|assistant|>"], nil
      ),
      ("{% for m in messages %}{{ m.content }} END <|end|>{% endfor %}", ["<|end|>"], nil),
      ("{{ raise_exception('never') }}", ["<|end|>"], nil), ("{{ broken", ["<|end|>"], nil),
      ("", ["<|end|>"], nil),
    ] as [(String, [String], Int?)])
  func isLearnedFromTheTemplate(_ source: String, marks: [String], end: Int?) throws {
    let tokens = marks + ["<|endoftext|>"]
    let added = tokens.enumerated().map {
      TokenizerDefinition.AddedToken(id: $0.offset, text: $0.element, isSpecial: true)
    }
    let last = marks.count
    let definition = TokenizerDefinition(
      source: "t", tokens: tokens, merges: [], preTokenizer: .gpt2, addedTokens: added,
      endTokens: [last], chatTemplate: source)
    #expect(try Tokenizer(definition).endTokens == Set([last, end].compactMap(\.self)))
  }

  /// A template that refuses a conversation says why; the tokenizer opens all the same.
  @Test func refusalsAreErrors() throws {
    let definition = TokenizerDefinition(
      source: "t", tokens: ["a"], merges: [], preTokenizer: .gpt2, chatTemplate: Self.gemma)
    let template = try #require(try Tokenizer(definition).chatTemplate)
    let user = ChatMessage(role: .user, content: "a")
    let error = #expect(throws: ChatTemplateError.self) { try template.transcript([user, user]) }
    #expect(error?.description == "the chat template, line 1: alternate")
    #expect(throws: ChatTemplateError.self) {
      try template.prompt([ChatMessage(role: .system, content: "b"), user])
    }
  }

  @Test func thinkingIsTheCallersChoice() throws {
    let source =
      "{% if enable_thinking is defined %}{{ enable_thinking }}{% else %}unsaid{% endif %}{{ add_generation_prompt }}"
    let definition = TokenizerDefinition(
      source: "t", tokens: [], merges: [], preTokenizer: .gpt2, chatTemplate: source)
    let template = try #require(ChatTemplate(definition))
    #expect(try template.prompt([]) == [.text("unsaidTrue")])
    #expect(try template.prompt([], thinks: false) == [.text("FalseTrue")])
    #expect(try template.transcript([], thinks: true) == [.text("TrueFalse")])
  }

  /// Against Python's `strftime`: leap days, Sundays, noon and midnight.
  @Test(arguments: [
    (ChatDate(year: 2024, month: 2, day: 29, hour: 12), "2024-02-29 Thu 060 12 PM 4"),
    (ChatDate(year: 2023, month: 12, day: 31, hour: 0), "2023-12-31 Sun 365 12 AM 0"),
    (ChatDate(year: 2000, month: 3, day: 1, hour: 23), "2000-03-01 Wed 061 11 PM 3"),
    (ChatDate(year: 1999, month: 1, day: 4, hour: 1), "1999-01-04 Mon 004 01 AM 1"),
  ])
  func datesAreWritten(_ date: ChatDate, expected: String) throws {
    let definition = TokenizerDefinition(
      source: "t", tokens: [], merges: [], preTokenizer: .gpt2,
      chatTemplate: "{{ strftime_now('%Y-%m-%d %a %j %I %p %w') }}")
    #expect(try ChatTemplate(definition)?.prompt([], date: date) == [.text(expected)])
  }
}
