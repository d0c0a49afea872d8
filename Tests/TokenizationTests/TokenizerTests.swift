import Testing
import Tokenization

struct TokenizerTests {
  @Test func ggufAndDirectoryGiveTheSameIDs() throws {
    let gguf = try SharedTokenizers.gguf.get()
    let directory = try SharedTokenizers.directory.get()
    let text = "Hello, world! It's 2026; naïve café — 東京 🙂  \n\n\tend"
    let ids = directory.encode(text, allowsSpecialTokens: false)
    #expect(gguf.encode(text, allowsSpecialTokens: false) == ids)
    #expect(directory.decode(ids, skipsSpecialTokens: true) == text)
    #expect(gguf.encodePrompt("Hi", raw: false) == directory.encodePrompt("Hi", raw: false))
  }
}
