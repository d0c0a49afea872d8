import Testing
import TestSupport
import Tokenization

/// Properties that hold for every text.
struct RoundTripTests {
  /// These have a token for every byte; SmolLM2's lacks some that occur in rare characters only.
  @Test(arguments: ["gpt2", "llama3"])
  func decodingGivesTheTextBack(name: String) throws {
    let tokenizer = try SharedTokenizers.named(name)
    var random = SeededRandom(seed: 7)
    for _ in 0..<300 {
      let text = RandomText.hard(&random)
      let ids = tokenizer.encode(text, allowsSpecialTokens: false)
      let decoded = tokenizer.decode(ids, skipsSpecialTokens: true)
      #expect(decoded.unicodeScalars.elementsEqual(text.unicodeScalars))
    }
  }

  @Test func streamedTextEqualsTheWhole() throws {
    let tokenizer = try SharedTokenizers.gpt2.get()
    var random = SeededRandom(seed: 8)
    for round in 0..<300 {
      // Every other round draws ids at random, which mostly are no valid UTF-8.
      let ids =
        round.isMultiple(of: 2)
        ? tokenizer.encode(RandomText.hard(&random), allowsSpecialTokens: false)
        : (0..<40).map { _ in Int.random(in: 0..<400, using: &random) }
      var stream = TextStream(tokenizer)
      let pieces = ids.map { stream.append($0) } + [stream.finish()]
      #expect(pieces.joined() == tokenizer.decode(ids, skipsSpecialTokens: true))
      if round.isMultiple(of: 2) {
        #expect(pieces.allSatisfy { !$0.unicodeScalars.contains("\u{fffd}") })
      }
    }
  }

  @Test func streamHoldsBackHalfACharacter() throws {
    let tokenizer = try SharedTokenizers.gpt2.get()
    let ids = tokenizer.encode("\u{10348}", allowsSpecialTokens: false)
    try #require(ids.count == 4)
    var stream = TextStream(tokenizer)
    #expect(ids.map { stream.append($0) } == ["", "", "", "\u{10348}"])
    #expect(stream.append(ids[0]) == "")
    #expect(stream.finish() == "\u{fffd}")
    #expect(stream.finish() == "")
  }

  @Test func longRunsAreOneWord() throws {
    let tokenizer = try SharedTokenizers.gpt2.get()
    let text = String(repeating: "a", count: 20_000)
    let ids = tokenizer.encode(text, allowsSpecialTokens: false)
    #expect(tokenizer.decode(ids, skipsSpecialTokens: true) == text)
  }
}
