import FoundationEssentials
import JSON

// MARK: - Normalizers and decoders

extension TokenizerFiles {
  /// The changes that a normalizer makes, those of a sequence one after the other.
  func normalizations(_ normalizer: JSONFile?) throws(CheckpointError) -> [Normalization] {
    guard let normalizer else { return [] }
    switch try normalizer.text("type") ?? "unknown" {
    case "Sequence":
      var all: [Normalization] = []
      for step in steps(of: normalizer, "normalizers") { all += try normalizations(step) }
      return all
    case "Replace":
      let pattern = try normalizer.section("pattern")
      let content = try normalizer.text("content") ?? ""
      if let text = try pattern?.text("String") { return [.replace(text, with: content)] }
      guard let text = try pattern?.text("Regex") else {
        throw normalizer.error("a Replace normalizer has no pattern")
      }
      return [.replacePattern(text, with: content)]
    case "Prepend": return [.prepend(try normalizer.text("prepend") ?? "")]
    case "NFC": return [.nfc]
    case "NFD": return [.nfd]
    case "NFKC": return [.nfkc]
    case "NFKD": return [.nfkd]
    case "Lowercase": return [.lowercase]
    case "StripAccents": return [.stripAccents]
    case "Strip":
      return [
        .strip(
          left: try normalizer.flag("strip_left") ?? true,
          right: try normalizer.flag("strip_right") ?? true)
      ]
    case "Nmt": return [.nmt]
    case "Precompiled":
      guard let text = try normalizer.text("precompiled_charsmap"),
        let map = Data(base64Encoded: text)
      else { throw normalizer.error("precompiled_charsmap is missing or not base64") }
      return [.characterMap(Array(map))]
    case let type:
      throw CheckpointError.unsupportedTokenizer(
        "a normalizer of type \(type)", file: tokenizer.file)
    }
  }

  private func steps(of sequence: JSONFile, _ key: String) -> [JSONFile] {
    (sequence.root[key]?.array ?? []).map {
      JSONFile(file: sequence.file, root: $0.object ?? .empty)
    }
  }

  /// Whether the decoder leaves out the space that a text begins with.
  func stripsFirstSpace() throws(CheckpointError) -> Bool {
    guard let decoder = try tokenizer.section("decoder") else { return false }
    let all = try decoder.text("type") == "Sequence" ? steps(of: decoder, "decoders") : [decoder]
    for step in all {
      switch try step.text("type") {
      case "Strip":
        if case .integer(let count) = step.value("start"), count > 0 { return true }
      case "Metaspace": return try spacePrefix(of: step) != .never
      default: continue
      }
    }
    return false
  }

  private func spacePrefix(
    of metaspace: JSONFile
  ) throws(CheckpointError) -> PreTokenizer.SpacePrefix {
    if let scheme = try metaspace.text("prepend_scheme") {
      guard let prefix = PreTokenizer.SpacePrefix(rawValue: scheme) else {
        throw metaspace.error("prepend_scheme is \"\(scheme)\", not always, first or never")
      }
      return prefix
    }
    return try metaspace.flag("add_prefix_space") ?? true ? .always : .never
  }
}

// MARK: - Pre-tokenizer

extension TokenizerFiles {
  /// How text is cut, and whether words are then written in the alphabet of bytes.
  func preTokenizer() throws(CheckpointError) -> (PreTokenizer, writesBytes: Bool) {
    guard let root = try tokenizer.section("pre_tokenizer") else { return (.whole, false) }
    let all = try root.text("type") == "Sequence" ? steps(of: root, "pretokenizers") : [root]
    var (cuts, writesBytes): ([PreTokenizer.Cut], Bool) = ([], false)
    for step in all {
      // What follows would cut between bytes of one character.
      guard !writesBytes else {
        let types = all.map { $0.root["type"]?.string ?? "unknown" }
        throw CheckpointError.unsupportedTokenizer(
          "the pre-tokenizer \(types.joined(separator: ", "))", file: tokenizer.file)
      }
      cuts += try self.cuts(step)
      writesBytes = try step.text("type") == "ByteLevel"
    }
    return (PreTokenizer(cuts), writesBytes)
  }

  private func cuts(_ step: JSONFile) throws(CheckpointError) -> [PreTokenizer.Cut] {
    switch try step.text("type") ?? "unknown" {
    case "ByteLevel":
      let addsSpace = try step.flag("add_prefix_space") ?? true
      let usesPattern = try step.flag("use_regex") ?? true
      return (addsSpace ? [.prefixSpace] : [])
        + (usesPattern ? [.split(PreTokenizer.gpt2Pattern)] : [])
    case "Split":
      let (behavior, pattern) = (try behavior(of: step), try step.section("pattern"))
      let isInverted = try step.flag("invert") ?? false
      if let text = try pattern?.text("String") {
        return [.literal(text, behavior, isInverted: isInverted)]
      }
      guard let text = try pattern?.text("Regex") else {
        throw step.error("a Split pre-tokenizer has no pattern")
      }
      return [.split(text, behavior, isInverted: isInverted)]
    case "Digits":
      let isIndividual = try step.flag("individual_digits") ?? false
      return [.split(isIndividual ? PreTokenizer.digitPattern : PreTokenizer.digitsPattern)]
    case "Punctuation": return [.split(PreTokenizer.punctuationPattern, try behavior(of: step))]
    case "Whitespace": return [.split(PreTokenizer.whitespacePattern, .removed, isInverted: true)]
    case "WhitespaceSplit": return [.split(#"\s+"#, .removed)]
    case "BertPreTokenizer":
      return [.split(#"\s+"#, .removed), .split(PreTokenizer.punctuationPattern)]
    case "CharDelimiterSplit":
      guard let delimiter = try step.text("delimiter") else {
        throw step.error("a CharDelimiterSplit pre-tokenizer has no delimiter")
      }
      return [.literal(delimiter, .removed)]
    case "Metaspace":
      guard try step.text("replacement") ?? Normalization.spaceMark == Normalization.spaceMark
      else {
        throw CheckpointError.unsupportedTokenizer("another mark than U+2581", file: tokenizer.file)
      }
      return [.metaspace(try spacePrefix(of: step), splits: try step.flag("split") ?? true)]
    case let type:
      throw CheckpointError.unsupportedTokenizer("the pre-tokenizer \(type)", file: tokenizer.file)
    }
  }

  private func behavior(of step: JSONFile) throws(CheckpointError) -> PreTokenizer.SplitBehavior {
    let name = try step.text("behavior") ?? PreTokenizer.SplitBehavior.isolated.rawValue
    guard let behavior = PreTokenizer.SplitBehavior(rawValue: name) else {
      throw step.error("the behavior \"\(name)\" of a pre-tokenizer is not known")
    }
    return behavior
  }
}
