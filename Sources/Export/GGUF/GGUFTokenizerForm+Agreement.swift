import Checkpoints
import Tokenization

/// Whether llama.cpp's way to merge gives a tokenizer's tokens: proven from the vocabulary, else tried on a sample.
extension GGUFTokenizerForm {
  /// Sets scores that say the merges, or `substitute` in place of the whole form where no scores do.
  ///
  /// Where they cannot be said, `tokenizer.model` knows the scores that the merges were made of.
  mutating func score(
    _ definition: TokenizerDefinition, in directory: HuggingFaceDirectory,
    orElse substitute: GGUFTokenizerForm?
  ) throws(CheckpointError) {
    guard definition.writesAllBytes else {
      throw Self.refusal(
        definition, "has no tokens for bytes, which llama.cpp's SentencePiece falls back to")
    }
    let merged = try Self.merged(definition)
    scores = Self.singlePrecision(merged.scores)
    guard let flaw = merged.flawOfScores(for: definition) else { return }
    if let substitute {
      self = substitute
      return
    }
    let file = "tokenizer.model"
    if directory.contains(file),
      let own = try SentencePieceModel(path: directory.filePath(file)).scores(of: definition)
    {
      scores = Self.singlePrecision(own)
      let difference = try Self.difference(of: definition, and: definition.scored(own))
      notes.append(
        "llama.cpp goes by the scores in \(file), which say otherwise than tokenizer.json's merges: \(flaw)"
          + (difference.map { "; \($0.sentence)" } ?? Self.agreement)
      )
    } else if let difference = try Self.difference(
      of: definition, and: definition.scored(merged.scores))
    {
      throw Self.refusal(
        definition,
        "has merges that llama.cpp's scores of tokens cannot say: \(difference.sentence)")
    } else {
      notes.append(
        "llama.cpp's scores of tokens do not say all that merges do: \(flaw)\(Self.agreement)")
    }
  }

  /// What comes of it that llama.cpp merges words that are tokens though the tokenizer does not, or the other way about.
  static func notesOnWholeWords(
    of definition: TokenizerDefinition
  ) throws(CheckpointError) -> [String] {
    guard let id = try merged(definition).unmade.first else { return [] }
    var other = definition
    other.ignoresMerges.toggle()
    if let difference = try difference(of: definition, and: other) {
      throw refusal(
        definition,
        definition.ignoresMerges
          ? "takes words that are tokens as they are, and llama.cpp merges them: \(difference.sentence)"
          : "merges words that are tokens, and llama.cpp takes them as they are: \(difference.sentence)"
      )
    }
    let text = (try? Tokenizer(definition))?.text(of: id) ?? ""
    return [
      definition.ignoresMerges
        ? "llama.cpp merges words that are tokens, and never makes \"\(text)\"\(agreement)"
        : "llama.cpp takes words that are tokens as they are, also \"\(text)\", which merges never "
          + "make\(agreement)"
    ]
  }

  /// How a note goes on where the sample shows no difference.
  private static let agreement = "; a sample of many scripts becomes the same tokens"

  private static func merged(
    _ definition: TokenizerDefinition
  ) throws(CheckpointError) -> MergedTokens {
    do { return try MergedTokens(definition) } catch { throw CheckpointError(error) }
  }

  private static func difference(
    of own: TokenizerDefinition, and other: TokenizerDefinition
  ) throws(CheckpointError) -> TokenizerSample.Difference? {
    do {
      return try TokenizerSample.difference(of: own, and: other)
    } catch {
      throw CheckpointError(error)
    }
  }
}

extension MergedTokens {
  /// Why scores do not say the merges; nil if they do.
  fileprivate func flawOfScores(for definition: TokenizerDefinition) -> String? {
    if let id = halved.first, case .halves(let place) = origins[id] {
      let text = definition.tokens.bytes[definition.tokens.byteRange(of: id)]
      let halves = [text.prefix(place), text.dropFirst(place)].map {
        "\"\(String(decoding: $0, as: UTF8.self))\""
      }
      return "\(halves[0]) and \(halves[1]) become one token there"
    }
    guard definition.ignoresMerges, let id = unmade.first else { return nil }
    return "\"\(definition.tokens[id] ?? "")\" by itself is not one token there"
  }
}

extension TokenizerDefinition {
  /// Whether each byte has a token that stands for it where no other does.
  fileprivate var writesAllBytes: Bool {
    let bytes = tokens.indices.compactMap { Self.byte(of: tokens.bytes[tokens.byteRange(of: $0)]) }
    return fallsBackToBytes && Set(bytes).count == 256
  }

  /// The same with scores in place of merges.
  fileprivate func scored(_ scores: [Double]) -> TokenizerDefinition {
    var other = self
    (other.merges, other.scores, other.ignoresMerges) = ([], scores, false)
    other.preTokenizer.cuts.removeAll { PreTokenizer.lines.cuts.contains($0) }
    return other
  }
}

extension TokenizerSample.Difference {
  fileprivate var sentence: String {
    func quoted(_ text: String?) -> String { text.map { "\"\($0)\"" } ?? "nothing more" }
    return "of \"\(line)\" it makes \(quoted(other)) where \(quoted(own)) belongs"
  }
}

extension CheckpointError {
  fileprivate init(_ error: TokenizerError) {
    self.init(file: error.source, reason: error.reason)
  }
}
