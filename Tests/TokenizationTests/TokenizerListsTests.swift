import Testing

@testable import Checkpoints

/// The long lists of a tokenizer.json, which are read apart from the rest.
struct TokenizerListsTests {
  private func definition(vocabulary: String, merges: String) throws -> TokenizerDefinition {
    try SharedTokenizers.files(
      "{\"model\" : {\"type\": \"BPE\", \"vocab\": \(vocabulary), \"merges\":\n\(merges) , \"unk_token\": null},"
        + " \"added_tokens\": [{\"id\": 5, \"content\": \"<end>\", \"special\": true}]}"
    ).definition()
  }

  @Test func bothLayoutsOfMergesAndAllWaysToSpellAreRead() throws {
    let vocabulary = #"{ "a":0,"\u0062" : 1, "ab": 2, "\"\\": 4, "é🙂":3 }"#
    let pairs = try definition(vocabulary: vocabulary, merges: #"[ ["a" , "\u0062"] ]"#)
    let texts = try definition(vocabulary: vocabulary, merges: #"["a b"]"#)
    #expect(Array(pairs.tokens) == ["a", "b", "ab", "é🙂", "\"\\", "<end>"])
    #expect(pairs.merges == [TokenizerDefinition.Merge(left: 0, right: 1, result: 2)])
    #expect(pairs.merges == texts.merges)
    #expect(pairs.tokens == texts.tokens)
    #expect(pairs.tokens.id(of: "é🙂") == 3)
    #expect(try definition(vocabulary: "{}", merges: "[]").tokens.count == 6)
  }

  @Test(arguments: [
    (#"{"a": 0, "a": 1}"#, "[]", "the vocabulary has \"a\" twice"),
    (#"{"a": 0, "b": 0}"#, "[]", "gives two tokens the id 0"),
    (#"{"a": 0.5}"#, "[]", "is not valid JSON at byte"),
    (#"{"a": "0"}"#, "[]", "gives \"a\" no id"),
    (#"{"a": 1000000}"#, "[]", "has a token 1000000"),
    (#"{"a": 0 "b": 1}"#, "[]", "is not valid JSON at byte"),
    (#"{"\x": 0}"#, "[]", "is not valid JSON at byte"), (#"["a"]"#, "[]", "model.vocab is missing"),
    (#"{"a": 0}"#, "{}", "model.merges is missing"), (#"{"a": 0}"#, "[1]", "not two tokens"),
    (#"{"a": 0}"#, #"[["a"]]"#, "not two tokens"), (#"{"a": 0}"#, #"["a a a"]"#, "not two tokens"),
    (#"{"a": 0}"#, #"[" a"]"#, "not two tokens"),
    (#"{"a": 0}"#, #"[["a","a","a"]]"#, "not two tokens"),
    (#"{"a": 0}"#, #"["a b"]"#, #"("a" and "b", the merge 0)"#),
    (#"{"a": 0}"#, #"["a a" "a a"]"#, "not in the vocabulary"),
    (#"{"a": 0"#, "[]", "is not valid JSON at byte"),
  ])
  func whatIsWrongIsNamed(vocabulary: String, merges: String, reason: String) {
    let error = #expect(throws: CheckpointError.self) {
      try definition(vocabulary: vocabulary, merges: merges)
    }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }
}
