import FoundationEssentials
import JSON

extension JSONValue {
  /// Steps that follow one another: null for none, one as it is.
  static func sequence(_ key: String, _ steps: [JSONValue]) -> JSONValue {
    switch steps.count {
    case 0: return .null
    case 1: return steps[0]
    default:
      return .object(
        JSONObject(members: [
          JSONObject.Member(name: "type", value: "Sequence"),
          JSONObject.Member(name: key, value: .array(steps)),
        ]))
    }
  }

  static func byteLevel(usesPattern: Bool, addsSpace: Bool = false) -> JSONValue {
    [
      "type": "ByteLevel", "add_prefix_space": .bool(addsSpace), "trim_offsets": true,
      "use_regex": .bool(usesPattern),
    ]
  }
}

extension Normalization {
  /// As tokenizer.json's normalizers spell it.
  var json: JSONValue {
    switch self {
    case .replace(let text, let content):
      ["type": "Replace", "pattern": ["String": .string(text)], "content": .string(content)]
    case .replacePattern(let text, let content):
      ["type": "Replace", "pattern": ["Regex": .string(text)], "content": .string(content)]
    case .prepend(let text): ["type": "Prepend", "prepend": .string(text)]
    case .nfc: ["type": "NFC"]
    case .nfd: ["type": "NFD"]
    case .nfkc: ["type": "NFKC"]
    case .nfkd: ["type": "NFKD"]
    case .lowercase: ["type": "Lowercase"]
    case .stripAccents: ["type": "StripAccents"]
    case .strip(let left, let right):
      ["type": "Strip", "strip_left": .bool(left), "strip_right": .bool(right)]
    case .nmt: ["type": "Nmt"]
    case .characterMap(let bytes):
      [
        "type": "Precompiled",
        "precompiled_charsmap": .string(Data(bytes).base64EncodedString()),
      ]
    }
  }
}

extension PreTokenizer.Cut {
  /// As tokenizer.json's pre-tokenizers spell it; nil for a space before, which the writing of bytes puts there.
  var json: JSONValue? {
    switch self {
    case .prefixSpace: nil
    case .split(PreTokenizer.digitPattern, .isolated, isInverted: false):
      ["type": "Digits", "individual_digits": true]
    case .split(let text, let behavior, let isInverted):
      Self.split(["Regex": .string(text)], behavior, isInverted)
    case .literal(let text, let behavior, let isInverted):
      Self.split(["String": .string(text)], behavior, isInverted)
    case .metaspace(let prefix, let splits):
      [
        "type": "Metaspace", "replacement": .string(Normalization.spaceMark),
        "prepend_scheme": .string(prefix.rawValue), "split": .bool(splits),
      ]
    }
  }

  private static func split(
    _ pattern: JSONValue, _ behavior: PreTokenizer.SplitBehavior, _ isInverted: Bool
  ) -> JSONValue {
    [
      "type": "Split", "pattern": pattern, "behavior": .string(behavior.rawValue),
      "invert": .bool(isInverted),
    ]
  }
}
