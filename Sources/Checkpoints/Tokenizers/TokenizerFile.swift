import JSON

extension JSONObject {
  /// tokenizer.json, as the tokenizers library reads it.
  package static func huggingFaceTokenizer(_ tokenizer: TokenizerDefinition) -> JSONObject {
    JSONObject(members: [
      Member(name: "version", value: "1.0"),
      Member(name: "truncation", value: .null),
      Member(name: "padding", value: .null),
      Member(name: "added_tokens", value: .array(tokenizer.addedTokens.map(\.json))),
      Member(
        name: "normalizer", value: .sequence("normalizers", tokenizer.normalizations.map(\.json))),
      Member(name: "pre_tokenizer", value: tokenizer.preTokenizerJSON),
      Member(name: "post_processor", value: tokenizer.postProcessor),
      Member(name: "decoder", value: tokenizer.decoder),
      Member(name: "model", value: tokenizer.modelJSON),
    ])
  }
}

extension TokenizerDefinition {
  fileprivate var modelJSON: JSONValue {
    if model == .unigram { return unigramJSON }
    // Names are told apart by their bytes: String's == takes canonically equivalent ones for equal.
    var names: Set<[UInt8]> = []
    let vocabulary = tokens.enumerated().compactMap { id, text -> JSONObject.Member? in
      guard let text, names.insert(Array(text.utf8)).inserted else { return nil }
      return JSONObject.Member(name: text, value: .integer(id))
    }
    let merges = merges.isEmpty && model == .sentencePiece ? mergesOfScores : merges
    func text(_ id: UInt32) -> JSONValue { .string(tokens[Int(id)] ?? "") }
    return [
      "type": "BPE", "dropout": .null, "unk_token": unknownText,
      "continuing_subword_prefix": .null, "end_of_word_suffix": .null,
      "fuse_unk": .bool(fusesUnknown), "byte_fallback": .bool(fallsBackToBytes),
      "ignore_merges": .bool(ignoresMerges),
      "vocab": .object(JSONObject(members: vocabulary)),
      "merges": .array(merges.map { [text($0.left), text($0.right)] }),
    ]
  }

  private var unknownText: JSONValue {
    guard model == .sentencePiece, let unknownToken, let text = tokens[unknownToken] else {
      return .null
    }
    return .string(text)
  }

  private var unigramJSON: JSONValue {
    // A token that no text becomes has no score; the least of all changes nothing for the others.
    let least = scores.filter(\.isFinite).min() ?? 0
    let entries = zip(tokens, scores).enumerated().map { id, entry -> JSONValue in
      let score = entry.1.isFinite ? entry.1 : least
      return [.string(entry.0 ?? "[PAD\(id)]"), JSONValue(score)]
    }
    return [
      "type": "Unigram", "unk_id": unknownToken.map { .integer($0) } ?? .null,
      "vocab": .array(entries), "byte_fallback": .bool(fallsBackToBytes),
    ]
  }

  fileprivate var decoder: JSONValue {
    if model == .bytePairs { return .byteLevel(usesPattern: true) }
    let spaces: JSONValue = [
      "type": "Replace", "pattern": ["String": .string(Normalization.spaceMark)], "content": " ",
    ]
    let strip: JSONValue = ["type": "Strip", "content": " ", "start": 1, "stop": 0]
    return .sequence(
      "decoders",
      (marksSpaces ? [spaces] : []) + [["type": "ByteFallback"], ["type": "Fuse"]]
        + (stripsFirstSpace ? [strip] : []))
  }

  /// Puts tokens before and behind a text, where the tokenizer does so.
  fileprivate var postProcessor: JSONValue {
    let (before, after) = (openingTokens, [closingToken].compactMap(\.self))
    let ids = before + after.filter { !before.contains($0) }
    guard !ids.isEmpty else { return .null }
    func special(_ id: Int, _ type: Int) -> JSONValue {
      ["SpecialToken": ["id": .string(tokens[id] ?? ""), "type_id": .integer(type)]]
    }
    func part(_ name: String, _ type: Int) -> [JSONValue] {
      before.map { special($0, type) } + [
        ["Sequence": ["id": .string(name), "type_id": .integer(type)]]
      ] + after.map { special($0, type) }
    }
    let members = ids.map { id in
      let text = JSONValue.string(tokens[id] ?? "")
      return JSONObject.Member(
        name: tokens[id] ?? "", value: ["id": text, "ids": [.integer(id)], "tokens": [text]])
    }
    return [
      "type": "TemplateProcessing", "single": .array(part("A", 0)),
      "pair": .array(part("A", 0) + part("B", 1)),
      "special_tokens": .object(JSONObject(members: members)),
    ]
  }

  /// Cuts, and for byte-level BPE the writing of bytes, which may bring GPT-2's pattern along.
  fileprivate var preTokenizerJSON: JSONValue {
    var cuts = preTokenizer.cuts
    guard model == .bytePairs else {
      return .sequence("pretokenizers", cuts.compactMap(\.json))
    }
    let usesPattern = cuts.last == .split(PreTokenizer.gpt2Pattern)
    if usesPattern { cuts.removeLast() }
    let addsSpace = cuts.last == .prefixSpace
    return .sequence(
      "pretokenizers",
      cuts.compactMap(\.json) + [.byteLevel(usesPattern: usesPattern, addsSpace: addsSpace)])
  }
}

extension TokenizerDefinition.AddedToken {
  fileprivate var json: JSONValue {
    [
      "id": .integer(id), "content": .string(text), "single_word": .bool(isSingleWord),
      "lstrip": .bool(stripsLeft), "rstrip": .bool(stripsRight),
      "normalized": .bool(isNormalized), "special": .bool(isSpecial),
    ]
  }
}
