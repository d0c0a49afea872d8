import Checkpoints

extension JSONObject {
  /// tokenizer.json of a byte-level BPE tokenizer, as the tokenizers library reads it.
  static func huggingFaceTokenizer(_ tokenizer: TokenizerDefinition) -> JSONObject {
    JSONObject(members: [
      Member(name: "version", value: "1.0"),
      Member(name: "truncation", value: .null),
      Member(name: "padding", value: .null),
      Member(name: "added_tokens", value: .array(tokenizer.addedTokens.map(\.json))),
      Member(name: "normalizer", value: .null),
      Member(name: "pre_tokenizer", value: tokenizer.preTokenizer.json),
      Member(name: "post_processor", value: tokenizer.postProcessor),
      Member(name: "decoder", value: .byteLevel(usesPattern: true)),
      Member(name: "model", value: tokenizer.model),
    ])
  }
}

extension TokenizerDefinition {
  fileprivate var model: JSONValue {
    // Names are told apart by their bytes: String's == takes canonically equivalent ones for equal.
    var names: Set<[UInt8]> = []
    let vocabulary = tokens.enumerated().compactMap { id, text -> JSONObject.Member? in
      guard let text, names.insert(Array(text.utf8)).inserted else { return nil }
      return JSONObject.Member(name: text, value: .integer(id))
    }
    return [
      "type": "BPE", "dropout": .null, "unk_token": .null, "continuing_subword_prefix": .null,
      "end_of_word_suffix": .null, "fuse_unk": false, "byte_fallback": false,
      "ignore_merges": .bool(ignoresMerges),
      "vocab": .object(JSONObject(members: vocabulary)),
      "merges": .array(merges.map { [.string($0.left), .string($0.right)] }),
    ]
  }

  /// Puts the begin token before a text, where the tokenizer does so.
  fileprivate var postProcessor: JSONValue {
    guard addsBeginToken, let beginToken, let text = tokens[beginToken] else { return .null }
    func begin(_ type: Int) -> JSONValue {
      ["SpecialToken": ["id": .string(text), "type_id": .integer(type)]]
    }
    func sequence(_ name: String, _ type: Int) -> JSONValue {
      ["Sequence": ["id": .string(name), "type_id": .integer(type)]]
    }
    return [
      "type": "TemplateProcessing", "single": [begin(0), sequence("A", 0)],
      "pair": [begin(0), sequence("A", 0), begin(1), sequence("B", 1)],
      "special_tokens": .object(
        JSONObject(members: [
          JSONObject.Member(
            name: text,
            value: [
              "id": .string(text), "ids": [.integer(beginToken)], "tokens": [.string(text)],
            ])
        ])),
    ]
  }
}

extension TokenizerDefinition.PreTokenizer {
  fileprivate var json: JSONValue {
    switch self {
    case .gpt2: .byteLevel(usesPattern: true)
    case .smollm:
      Self.sequence(
        ["type": "Digits", "individual_digits": true], .byteLevel(usesPattern: true))
    case .llama3:
      Self.sequence(
        [
          "type": "Split", "pattern": ["Regex": .string(Self.llama3Pattern)],
          "behavior": "Isolated", "invert": false,
        ], .byteLevel(usesPattern: false))
    }
  }

  private static func sequence(_ steps: JSONValue...) -> JSONValue {
    ["type": "Sequence", "pretokenizers": .array(steps)]
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

extension JSONValue {
  fileprivate static func byteLevel(usesPattern: Bool) -> JSONValue {
    [
      "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
      "use_regex": .bool(usesPattern),
    ]
  }
}
