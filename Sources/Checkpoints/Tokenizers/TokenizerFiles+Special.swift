// MARK: - Special tokens and chat template

extension TokenizerFiles {
  /// Fills in what the configurations beside tokenizer.json say.
  func readSpecialTokens(into definition: inout TokenizerDefinition) throws(CheckpointError) {
    let settings = try directory.json("tokenizer_config.json")
    let models = [
      try directory.json("generation_config.json"), try directory.json(HuggingFaceDirectory.config),
    ].compactMap(\.self)
    let named = settings.flatMap { Self.tokenText($0.root["bos_token"]) }
    definition.beginToken =
      named.flatMap { text in definition.tokens.firstIndex(of: text) }
      ?? models.lazy.flatMap { Self.ids($0.root["bos_token_id"]) }.first
    definition.endTokens = Set(models.flatMap { Self.ids($0.root["eos_token_id"]) })
    if let text = settings.flatMap({ Self.tokenText($0.root["eos_token"]) }),
      let id = definition.tokens.firstIndex(of: text)
    {
      definition.endTokens.insert(id)
    }
    let ids = definition.tokens.indices
    definition.endTokens = definition.endTokens.filter(ids.contains)
    definition.beginToken = definition.beginToken.flatMap { ids.contains($0) ? $0 : nil }
    definition.addsBeginToken = try addsBeginToken(definition)
    for name in TokenizerDefinition.templateTokenNames {
      definition.templateTokens[name] = settings.flatMap { Self.tokenText($0.root[name]) }
    }
    definition.chatTemplate = directory.text("chat_template.jinja") ?? Self.template(settings)
  }

  /// A token's text, which is a string or the `content` of an object.
  private static func tokenText(_ value: JSONValue?) -> String? {
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

  /// Whether the post-processor puts the begin token, and nothing else, around a text.
  private func addsBeginToken(_ definition: TokenizerDefinition) throws(CheckpointError) -> Bool {
    guard let root = try tokenizer.section("post_processor") else { return false }
    let steps =
      root.root["processors"]?.array?.map { JSONFile(file: root.file, root: $0.object ?? .empty) }
      ?? [root]
    var adds = false
    for step in steps {
      let type = try step.text("type") ?? "unknown"
      if type == "ByteLevel" { continue }
      guard type == "TemplateProcessing" else {
        throw CheckpointSource.unsupported("a post-processor of type \(type)", file: tokenizer.file)
      }
      let parts = step.root["single"]?.array?.compactMap(\.object) ?? []
      let special = parts.compactMap { $0["SpecialToken"]?.object?["id"]?.string }
      if special.isEmpty { continue }
      guard special.count == 1, parts[0]["SpecialToken"] != nil, let begin = definition.beginToken,
        definition.tokens[begin] == special[0]
      else {
        throw CheckpointSource.unsupported(
          "a post-processor that adds \(special.joined(separator: ", "))", file: tokenizer.file)
      }
      adds = true
    }
    return adds
  }
}
