import Checkpoints
import Compression
import Tensors
import Text

@testable import Tokenization

/// Templates, patterns and plans.
extension FuzzTarget {
  static func template(_ bytes: [UInt8]) {
    let source = String(decoding: bytes, as: UTF8.self)
    let definition = TokenizerDefinition(
      source: "t", tokens: [], preTokenizer: .gpt2,
      addedTokens: [
        .init(id: 0, text: "<|im_start|>", isSpecial: true),
        .init(id: 1, text: "<|a|>", isSpecial: false),
      ], chatTemplate: source)
    guard let template = ChatTemplate(definition) else { return }
    let messages = [
      ChatMessage(role: .system, content: "Be brief."),
      ChatMessage(role: .user, content: "<|im_start|>question é"),
    ]
    guard let pieces = try? template.prompt(messages) else { return }
    // What a message says never becomes a token.
    let isSpelled = source.contains("<") || source.contains("\\")
    require(isSpelled || !pieces.contains(.token("<|im_start|>")), "a message became a token")
    _ = try? template.transcript(messages)
  }

  /// A pattern, a line feed, and a text that it cuts.
  static func pattern(_ bytes: [UInt8]) {
    let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    guard let pattern = try? Pattern(String(decoding: bytes[..<end], as: UTF8.self)) else { return }
    let scanner = TextScanner(Array(String(decoding: bytes[end...], as: UTF8.self).utf8))
    let count = scanner.bytes.count
    var matcher = PatternMatcher(pattern, in: scanner, 0..<count)
    var start = 0
    while let match = matcher.firstMatch(from: start) {
      require(match.lowerBound >= start && match.upperBound <= count, "a match outside of the text")
      start = max(match.upperBound, match.lowerBound + 1)
      if start > count { break }
    }
    require(
      matcher.stepsTaken < (count + 64) * (64 + pattern.steps.count * 66_000), "too many steps")
  }

  /// A pattern of names, a line feed, and a name.
  static func names(_ bytes: [UInt8]) {
    let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    let text = String(decoding: bytes[..<end], as: UTF8.self)
    let name = String(decoding: bytes[end...].dropFirst(), as: UTF8.self)
    var work = 0
    if let pattern = try? NamePattern(text) {
      let whole = pattern.matches(name, .whole, work: &work)
      require(!whole || pattern.matches(name, .start), "a whole match that is none from the start")
      require(work <= 3 * 4200 * (name.unicodeScalars.count + 1), "too many steps")
    }
    for text in [text, "re:" + text] {
      _ = (try? LayerPattern(text))?.matches(name: name)
    }
    require(
      !DisplayText.spelled(text).unicodeScalars.contains(where: DisplayText.isHarmful),
      "harmful text")
  }

  private static let layers = [
    LayerShape(
      name: "model.layers.0.mlp.up_proj", rows: 64, columns: 256, type: .bfloat16),
    LayerShape(
      name: "model.embed_tokens", aliases: ["lm_head"], rows: 64, columns: 96, type: .float16,
      isEmbedding: true),
  ]

  static func plan(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self), let plan = try? Plan(yaml: text)
    else { return }
    let again = try? Plan(yaml: plan.yaml())
    require(again == plan, "a plan changes when it is written:\n\(plan.yaml())")
    _ = try? plan.schemes(for: layers)
  }
}
