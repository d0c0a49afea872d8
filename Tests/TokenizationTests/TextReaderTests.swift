import FoundationEssentials
import Testing
import Tokenization

struct TextReaderTests {
  /// All ids of a file of the given content.
  private func ids(_ content: String, _ tokenizer: Tokenizer) throws -> [Int] {
    try ids(Array(content.utf8), tokenizer)
  }

  private func ids(_ content: [UInt8], _ tokenizer: Tokenizer) throws -> [Int] {
    let path = FileManager.default.temporaryDirectory.path + "/vise-tests-\(UUID().uuidString)"
    try Data(content).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    do {
      var reader = try TextReader(path: path, tokenizer: tokenizer)
      var ids: [Int] = []
      while let piece = try reader.next() { ids += piece }
      return ids
    } catch {
      #expect(error.path == path)
      throw error
    }
  }

  private func expect(
    _ description: String, _ content: [UInt8], _ tokenizer: Tokenizer,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: TextError.self, sourceLocation: location) {
      try ids(content, tokenizer)
    }
    let text = error.map { $0.description.dropFirst($0.path.count) }
    #expect(text == ": \(description)", sourceLocation: location)
  }

  @Test func aPlainTextIsReadInPieces() throws {
    let tokenizer = try SharedTokenizers.sample.get()
    let text = String(repeating: "In the beginning was the word.\nAnd so on\n", count: 2000)
    #expect(try ids(text, tokenizer) == tokenizer.encode(text, allowsSpecialTokens: false))
    #expect(try ids("", tokenizer) == [])
    #expect(try ids(" [not JSON]\n", tokenizer).count > 3)
  }

  @Test func arraysAndSingleObjectsAreTexts() throws {
    let tokenizer = try SharedTokenizers.sample.get()
    let lines = try ids(
      "{\"text\": \"In the beginning\"}\n{\"text\": \"was the word\"}\n", tokenizer)
    for same in [
      "[{\"text\": \"In the beginning\"}, {\"text\": \"was the word\"}]",
      "[\n \"In the beginning\",\n \"was the word\"\n]",
      "{\"text\": \"In the beginning\", \"score\": NaN}\n{\"text\": \"was the word\"}",
    ] {
      #expect(try ids(same, tokenizer) == lines, "\(same)")
    }
    #expect(
      try ids("{\n  \"text\":\n    \"In the beginning\"\n}\n", tokenizer)
        == ids("{\"text\": \"In the beginning\"}", tokenizer))
    // Brackets alone make no JSON, and numbers no texts.
    #expect(try ids("[1, 2]", tokenizer) == tokenizer.encode("[1, 2]", allowsSpecialTokens: false))
    expect(
      "element 2: has neither a text nor a messages field, but prompt, answer; make texts of it, such as by "
        + "`jq -c '{text: .prompt}'`",
      Array("[\"In\", {\"prompt\": \"a\", \"answer\": \"b\"}]".utf8), tokenizer)
  }

  @Test func aByteOrderMarkIsNoText() throws {
    let tokenizer = try SharedTokenizers.sample.get()
    for text in ["In the beginning", "{\"text\": \"In the beginning\"}"] {
      #expect(try ids([0xef, 0xbb, 0xbf] + Array(text.utf8), tokenizer) == ids(text, tokenizer))
    }
  }

  @Test func otherEncodingsAreNamedWithTheCommandThatMendsThem() throws {
    let tokenizer = try SharedTokenizers.sample.get()
    for (bytes, part) in [
      (
        [0xff, 0xfe, 0x61, 0],
        "is not UTF-8, but UTF-16 by its byte-order mark; run `iconv -f UTF-16 -t UTF-8 "
      ),
      ([0x1f, 0x8b, 8, 0], "is compressed; run `gunzip -k "),
      (
        Array("version https://git-lfs.github.com/spec/v1\noid sha256:1\n".utf8),
        "a pointer of Git LFS"
      ),
      ([0x61, 0, 0x62], "is no text: it holds bytes of zero"),
      ([0x63, 0x61, 0x66, 0xe9], "if it is Latin-1, run `iconv -f ISO-8859-1 -t UTF-8 "),
    ] as [([UInt8], String)] {
      let error = #expect(throws: TextError.self) { try ids(bytes, tokenizer) }
      #expect(error.map { "\($0)".contains(part) } == true)
    }
  }

  /// Plain texts, lines, conversations and prompts start with the begin token once, whoever writes it.
  @Test func theBeginTokenComesOnce() throws {
    let tokenizer = try SharedTokenizers.beginning.get()
    let begin = try #require(tokenizer.textBegin)
    let mark = tokenizer.text(of: begin)
    func plain(_ text: String) -> [Int] { tokenizer.encode(text, allowsSpecialTokens: false) }
    let long = String(repeating: "and so on\n", count: 4000)
    #expect(try ids(long, tokenizer) == [begin] + plain(long))
    #expect(try ids("", tokenizer) == [begin])
    #expect(
      try ids(#"{"text": "ab"}"# + "\n" + #"{"text": "c"}"#, tokenizer)
        == [begin] + plain("ab") + [begin] + plain("c"))
    let turn = #"{"messages": [{"role": "user", "content": "Hi"}]}"#
    #expect(try ids(turn, tokenizer) == [begin] + plain("Hi\n"))
    #expect(try tokenizer.encodePrompt("Hi", raw: false) == [begin] + plain("Hi\n"))
    #expect(try tokenizer.encodePrompt("Hi", raw: true) == [begin] + plain("Hi"))
    #expect(try tokenizer.encodePrompt(mark + "Hi", raw: true) == [begin] + plain("Hi"))
    #expect(try tokenizer.encodePrompt(mark, raw: false) == [begin] + plain(mark + "\n"))
    #expect(tokenizer.begun([]) == [begin])
  }

  @Test func textsOfJSONLinesFollowOneAnother() throws {
    let tokenizer = try SharedTokenizers.gpt2.get()
    let lines = #"{"text": "one\ntwo", "other": 1}"# + "\r\n\n  " + #"{"text":"three"}"#
    let expected = ["one\ntwo", "three"].flatMap {
      tokenizer.begun(tokenizer.encode($0, allowsSpecialTokens: false))
    }
    #expect(try ids(lines, tokenizer) == expected)
  }

  @Test func messagesAreWrittenInTheChatTemplate() throws {
    let tokenizer = try SharedTokenizers.smollm2.get()
    let template = try #require(tokenizer.chatTemplate)
    let line = """
      {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]}
      """
    let found = try ids(line + "\n" + line, tokenizer)
    let messages = [
      ChatMessage(role: .user, content: "Hi"), ChatMessage(role: .assistant, content: "Hello."),
    ]
    let opening = tokenizer.encode([.token("<|im_start|>"), .text("assistant\n")])
    let once = Array(tokenizer.encode(try template.prompt(messages)).dropLast(opening.count))
    #expect(found == once + once)
  }

  @Test func linesWithoutATextAreNamed() throws {
    let tokenizer = try SharedTokenizers.gpt2.get()
    func expect(
      _ description: String, _ content: String, _ location: SourceLocation = #_sourceLocation
    ) {
      self.expect(description, Array(content.utf8), tokenizer, location)
    }
    expect("line 1: is not valid JSON at byte 1 (expected '\"')", "{not JSON")
    expect("line 3: is not a JSON object", "{\"text\": \"\"}\n\n[1]")
    expect("line 1: text is not a string", "{\"text\": 1}")
    expect(
      "line 2: has neither a text nor a messages field, but prompt; make texts of it, such as by `jq -c '{text: .prompt}'`",
      "\n{\"prompt\": \"a\"}")
    expect("line 1: messages is not an array", "{\"messages\": {}}")
    expect(
      "line 1: a message is not an object of a role and a content in strings",
      #"{"messages": [{"role": "user"}]}"#)
    expect(
      "line 1: the role tool is not system, user or assistant",
      #"{"messages": [{"role": "tool", "content": ""}]}"#)
    expect(
      "line 1: has messages, but the model has no chat template; give a text field instead",
      #"{"messages": []}"#)
    #expect(throws: TextError.self) {
      try TextReader(path: "/nowhere/text.txt", tokenizer: tokenizer)
    }
  }
}
