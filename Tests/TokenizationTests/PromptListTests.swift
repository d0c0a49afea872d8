import Testing
import Tokenization

/// Files of prompts: lines, or JSON.
struct PromptListTests {
  private func prompts(_ text: String) throws -> [String] {
    try PromptList(Array(text.utf8), of: "prompts.txt").prompts
  }

  @Test func aLineIsAPrompt() throws {
    #expect(try prompts("one\n\n  two words \r\nthree") == ["one", "  two words ", "three"])
    #expect(try prompts("[not JSON\nbut text") == ["[not JSON", "but text"])
  }

  @Test func aJSONListHoldsStringsOrObjects() throws {
    #expect(
      try prompts(#" ["a\nb", {"prompt": "c", "id": 7}] "#) == ["a\nb", "c"])
  }

  @Test(arguments: [
    ("", "no prompt"), (" \n\t\n", "no prompt"), ("[]", "no prompt"),
    (#"["a", 3]"#, "element 2"), (#"[{"text": "a"}]"#, "element 1"),
  ])
  func refusesWhatHoldsNone(_ text: String, _ reason: String) {
    #expect { try prompts(text) } throws: {
      "\($0)".contains(reason) && "\($0)".contains("prompts.txt")
    }
  }

  @Test func refusesWhatIsNotText() {
    #expect { try PromptList([0x61, 0xff], of: "p") } throws: { "\($0)".contains("UTF-8") }
  }
}
