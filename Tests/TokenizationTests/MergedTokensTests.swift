import TestSupport
import Testing

@testable import Checkpoints
@testable import Tokenization

/// What a vocabulary proves of its merges, against what merging by scores makes of texts.
struct MergedTokensTests {
  /// Characters, the tokens of some merges, and tokens that nothing makes.
  private func definition(
    _ merges: [(String, String)], besides tokens: [String] = [], characters: String = "abcd"
  ) throws -> TokenizerDefinition {
    var texts = characters.map(String.init)
    for text in merges.map({ $0.0 + $0.1 }) + tokens where !texts.contains(text) {
      texts.append(text)
    }
    var definition = TokenizerDefinition(
      source: "t", model: .sentencePiece, tokens: texts, preTokenizer: .whole)
    definition.unknownToken = 0
    definition.merges = try merges.map { left, right in
      TokenizerDefinition.Merge(
        left: UInt32(try #require(definition.tokens.id(of: left))),
        right: UInt32(try #require(definition.tokens.id(of: right))),
        result: UInt32(try #require(definition.tokens.id(of: left + right))))
    }
    return definition
  }

  private func scored(
    _ definition: TokenizerDefinition, _ scores: [Double]
  ) throws -> Tokenizer {
    var other = definition
    (other.merges, other.scores) = ([], scores)
    return try Tokenizer(other)
  }

  @Test func originsAreThoseOfTheOwnText() throws {
    // abc is made of ab and c; of a and bc never, since ab comes first. cd is left in two, abd in three.
    let definition = try definition(
      [("a", "b"), ("b", "c"), ("a", "bc"), ("ab", "c")], besides: ["cd", "dada"])
    let merged = try MergedTokens(definition)
    func origin(_ text: String) throws -> MergedTokens.Origin {
      merged.origins[try #require(definition.tokens.id(of: text))]
    }
    #expect(try origin("a") == .whole)
    #expect(try origin("ab") == .merge(rank: 0))
    #expect(try origin("bc") == .merge(rank: 1))
    #expect(try origin("abc") == .merge(rank: 3))
    #expect(try origin("cd") == .halves(at: 1))
    #expect(try origin("dada") == .parts)
    #expect(merged.halved.compactMap { definition.tokens[$0] } == ["cd"])
    #expect(merged.unmade.compactMap { definition.tokens[$0] } == ["cd", "dada"])
  }

  /// A character that is no token is a part too: merging by scores joins it.
  @Test func unknownCharactersAreParts() throws {
    let merged = try MergedTokens(definition([("a", "b")], besides: ["aé"]))
    #expect(merged.origins.last == .halves(at: 1))
  }

  @Test func addedTokensAreWhole() throws {
    var definition = try definition([("a", "b")], besides: ["cd"])
    let id = try #require(definition.tokens.id(of: "cd"))
    definition.addedTokens = [.init(id: id, text: "cd", isSpecial: false)]
    #expect(try MergedTokens(definition).origins[id] == .whole)
  }

  /// Where no token is halved, scores give the tokens of the merges on any text; where one is, not on its own text.
  @Test func scoresGiveTheTokensOfTheMerges() throws {
    var random = SeededRandom(seed: 5)
    var (proven, refuted) = (0, 0)
    for _ in 0..<400 {
      var texts = ["a", "b", "c"]
      var merges: [(String, String)] = []
      for _ in 0..<Int.random(in: 2...12, using: &random) {
        let (left, right) = (
          texts.randomElement(using: &random), texts.randomElement(using: &random)
        )
        guard let left, let right, !merges.contains(where: { $0 == (left, right) }) else {
          continue
        }
        merges.append((left, right))
        if !texts.contains(left + right) { texts.append(left + right) }
      }
      // Orders that no training gives are merged by all the same.
      if Bool.random(using: &random) { merges.shuffle(using: &random) }
      let definition = try definition(merges, characters: "abc")
      let merged = try MergedTokens(definition)
      let (own, other) = (try Tokenizer(definition), try scored(definition, merged.scores))
      func agree(on text: String) -> Bool {
        own.encode(text, allowsSpecialTokens: false)
          == other.encode(text, allowsSpecialTokens: false)
      }
      for id in merged.halved {
        refuted += 1
        #expect(!agree(on: try #require(definition.tokens[id])), "\(merges)")
      }
      guard merged.halved.isEmpty else { continue }
      proven += 1
      for _ in 0..<60 {
        let text = String(
          (0..<Int.random(in: 1...40, using: &random)).map { _ in
            "abc".randomElement(using: &random) ?? "a"
          })
        #expect(agree(on: text), "\(merges) \(text)")
      }
    }
    #expect(proven > 50)
    #expect(refuted > 50)
  }
}
