import JSON

/// Tokens that other files than tokenizer.json name: transformers finds them in any text, and adds those that are new behind its own.
extension TokenizerFiles {
  /// A token, with what little is known of it.
  private struct Named {
    let text: String
    let fields: JSONObject
    let isSpecial: Bool
  }

  /// - Throws: ``CheckpointError`` for more tokens than can be believed.
  func addTokensOfOtherFiles(to definition: inout TokenizerDefinition) throws(CheckpointError) {
    var texts = Set(definition.addedTokens.map(\.text))
    for named in try namedElsewhere() where !named.text.isEmpty {
      guard texts.insert(named.text).inserted else { continue }
      let known = definition.tokens.id(of: named.text)
      let id = known ?? definition.tokens.count
      try check(id)
      definition.append(
        TokenizerDefinition.AddedToken(
          id: id, text: named.text, isSpecial: named.isSpecial,
          stripsLeft: named.fields["lstrip"]?.bool ?? false,
          stripsRight: named.fields["rstrip"]?.bool ?? false,
          isSingleWord: named.fields["single_word"]?.bool ?? false,
          isNormalized: named.fields["normalized"]?.bool ?? false), isNew: known == nil)
    }
  }

  /// In the order in which transformers adds them: by number first, then by name.
  private func namedElsewhere() throws(CheckpointError) -> [Named] {
    let settings = try directory.json("tokenizer_config.json")
    let decoder = settings?.root["added_tokens_decoder"]?.object?.members ?? []
    var numbered = decoder.compactMap { member -> (id: Int, token: Named)? in
      guard let id = Int(member.name), let fields = member.value.object,
        let text = fields["content"]?.string
      else { return nil }
      return (id, Named(text: text, fields: fields, isSpecial: fields["special"]?.bool ?? false))
    }
    let old = try directory.json("added_tokens.json")?.root.members ?? []
    numbered += old.compactMap { member in
      member.value.integer.map {
        ($0, Named(text: member.name, fields: .empty, isSpecial: false))
      }
    }
    var named = numbered.sorted { $0.id < $1.id }.map(\.token)
    let map = try directory.json("special_tokens_map.json")
    for file in [settings, map].compactMap(\.self) {
      let values =
        TokenizerDefinition.templateTokenNames.compactMap { file.root[$0] }
        + ["additional_special_tokens", "extra_special_tokens"].flatMap { key in
          file.root[key]?.array ?? file.root[key]?.object?.members.map(\.value) ?? []
        }
      named += values.compactMap { value in
        let fields = value.object ?? .empty
        return Self.tokenText(value).map {
          Named(text: $0, fields: fields, isSpecial: true)
        }
      }
    }
    return named
  }
}

extension TokenizerDefinition {
  /// Adds a token: one of the vocabulary, which is found in any text from now on, or a new one behind all others.
  fileprivate mutating func append(_ token: AddedToken, isNew: Bool) {
    addedTokens.append(token)
    if isNew {
      tokens.appendIndexed(token.text.utf8)
      if !scores.isEmpty { scores.append(-.infinity) }
    } else if token.isSpecial, scores.indices.contains(token.id) {
      scores[token.id] = -.infinity
    }
  }
}
