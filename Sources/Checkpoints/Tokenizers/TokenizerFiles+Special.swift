import JSON

// MARK: - Special tokens and chat template

extension TokenizerFiles {
  /// Fills in what the configurations beside tokenizer.json say.
  func readSpecialTokens(into definition: inout TokenizerDefinition) throws(CheckpointError) {
    let settings = try directory.json("tokenizer_config.json")
    let models = [
      try directory.json("generation_config.json"), try directory.json(HuggingFaceDirectory.config),
    ].compactMap(\.self)
    for name in TokenizerDefinition.templateTokenNames {
      definition.templateTokens[name] = settings.flatMap { Self.tokenText($0.root[name]) }
    }
    definition.beginToken =
      definition.templateTokens["bos_token"].flatMap { definition.tokens.id(of: $0) }
      ?? models.lazy.flatMap { Self.ids($0.root["bos_token_id"]) }.first
    definition.endTokens = Set(models.flatMap { Self.ids($0.root["eos_token_id"]) })
    if let text = definition.templateTokens["eos_token"],
      let id = definition.tokens.id(of: text)
    {
      definition.endTokens.insert(id)
    }
    let ids = definition.tokens.indices
    definition.endTokens = definition.endTokens.filter(ids.contains)
    definition.beginToken = definition.beginToken.flatMap { ids.contains($0) ? $0 : nil }
    try readPostProcessor(into: &definition)
    definition.chatTemplate = try directory.text("chat_template.jinja") ?? Self.template(settings)
  }

  /// A token's text, which is a string or the `content` of an object.
  static func tokenText(_ value: JSONValue?) -> String? {
    value?.string ?? value?.object?["content"]?.string
  }

  private static func ids(_ value: JSONValue?) -> [Int] {
    value?.integer.map { [$0] } ?? value?.array?.compactMap(\.integer) ?? []
  }

  /// The template, or the one called `default` if there are several.
  private static func template(_ settings: JSONFile?) -> String? {
    switch settings?.root["chat_template"] {
    case .string(let text): text
    case .array(let templates):
      templates.compactMap(\.object).first { $0["name"]?.string == "default" }?["template"]?.string
    default: nil
    }
  }

  /// The tokens that the post-processor puts around a text.
  private func readPostProcessor(
    into definition: inout TokenizerDefinition
  ) throws(CheckpointError) {
    guard let root = try tokenizer.section("post_processor") else { return }
    let steps =
      root.root["processors"]?.array?.map { JSONFile(file: root.file, root: $0.object ?? .empty) }
      ?? [root]
    for step in steps {
      let type = try step.text("type") ?? "unknown"
      let around: (before: [String], after: [String])
      switch type {
      case "ByteLevel": continue
      case "TemplateProcessing": around = Self.template(step.root["single"]?.array ?? [])
      case "RobertaProcessing", "BertProcessing":
        around = (Self.first(step.root["cls"]), Self.first(step.root["sep"]))
      default:
        throw CheckpointError.unsupportedTokenizer(
          "a post-processor of type \(type)", file: tokenizer.file)
      }
      let ids = try (ids(around.before, definition), ids(around.after, definition))
      guard ids.1.count <= 1 else {
        throw CheckpointError.unsupportedTokenizer(
          "a post-processor that ends texts with \(around.after.joined(separator: ", "))",
          file: tokenizer.file)
      }
      if !ids.0.isEmpty { definition.openingTokens = ids.0 }
      definition.closingToken = ids.1.first ?? definition.closingToken
    }
  }

  /// The special tokens before and after the text in a template.
  private static func template(_ parts: [JSONValue]) -> (before: [String], after: [String]) {
    let place = parts.firstIndex { $0.object?["Sequence"] != nil } ?? parts.count
    func tokens(_ parts: ArraySlice<JSONValue>) -> [String] {
      parts.compactMap { $0.object?["SpecialToken"]?.object?["id"]?.string }
    }
    return (tokens(parts[..<place]), tokens(parts[place...]))
  }

  /// The text of a pair of a text and an id.
  private static func first(_ pair: JSONValue?) -> [String] {
    [pair?.array?.first?.string].compactMap(\.self)
  }

  private func ids(
    _ texts: [String], _ definition: TokenizerDefinition
  ) throws(CheckpointError) -> [Int] {
    var ids: [Int] = []
    for text in texts {
      guard let id = definition.tokens.id(of: text) else {
        throw tokenizer.error("the post-processor adds \(text), which is not in the vocabulary")
      }
      ids.append(id)
    }
    return ids
  }
}
