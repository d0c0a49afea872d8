import FoundationEssentials
import Testing

@testable import Checkpoints

/// Hugging Face directories that lie, lack something, or hold what is not supported.
struct MalformedDirectoryTests {
  /// The error that opening a changed copy of a tiny model gives, or why that does not run; nil if it does.
  private func message(
    _ model: String = "tiny", _ change: (String) throws -> Void
  ) throws -> String? {
    try TestFiles.withDirectory { directory in
      let copy = "\(directory)/\(model)"
      try FileManager.default.copyItem(atPath: TestFiles.fixture(model), toPath: copy)
      try change(copy)
      do {
        let checkpoint = try Checkpoint.open(copy)
        if let obstacle = checkpoint.description.abilities.runningObstacle { return obstacle }
        _ = try checkpoint.tokenizerDefinition()
        return nil
      } catch let error as CheckpointError {
        return error.description
      }
    }
  }

  private func expect(
    _ part: String, _ model: String = "tiny", _ location: SourceLocation = #_sourceLocation,
    _ change: (String) throws -> Void
  ) throws {
    let text = try message(model, change)
    #expect(text?.contains(part) == true, "\(text ?? "opened")", sourceLocation: location)
  }

  /// Replaces `old`, which must be there, in a text file.
  private func replace(_ file: String, _ old: String, _ new: String) throws {
    let text = String(decoding: try TestFiles.read(file), as: UTF8.self)
    try #require(text.contains(old), "\(file) does not contain \(old)")
    try TestFiles.write(Array(text.replacing(old, with: new).utf8), to: file)
  }

  private func remove(_ file: String) throws { try FileManager.default.removeItem(atPath: file) }

  /// Writes a safetensors file of the given header and `dataCount` zeros.
  private func writeHeader(_ path: String, _ json: String, length: UInt64? = nil, dataCount: Int)
    throws
  {
    let header = Array(json.utf8)
    let data = Array(repeating: UInt8(0), count: dataCount)
    try TestFiles.write(
      little(length ?? UInt64(header.count)) + header + data, to: "\(path)/model.safetensors")
  }

  @Test func missingFiles() throws {
    try expect("holds no config.json, so that nothing is known of how it computes") {
      try remove("\($0)/config.json")
    }
    try expect("holds no tokenizer.json") { try remove("\($0)/tokenizer.json") }
    try expect("holds neither model.safetensors nor model.safetensors.index.json") {
      try remove("\($0)/model.safetensors")
    }
    try expect("convert its pytorch_model files") {
      try FileManager.default.moveItem(
        atPath: "\($0)/model.safetensors", toPath: "\($0)/pytorch_model.bin")
    }
    try expect("tiny/a.gguf: ") {
      try FileManager.default.moveItem(
        atPath: "\($0)/model.safetensors", toPath: "\($0)/a.gguf")
    }
    try expect("is missing: 1 of 2 parts", "tiny-sharded") {
      try remove("\($0)/model-00001-of-00002.safetensors")
    }
    #expect(throws: CheckpointError.self) { try Checkpoint.open("/nonexistent/model.gguf") }
    #expect(throws: CheckpointError.self) { try Checkpoint.open("/dev/null") }
    #expect(throws: CheckpointError.self) { try Checkpoint.open("") }
  }

  @Test func configurations() throws {
    func config(_ part: String, _ old: String, _ new: String) throws {
      try expect(part) { try replace("\($0)/config.json", old, new) }
    }
    try config("the architecture \"mamba\" does not run", "\"llama\"", "\"mamba\"")
    try config(
      "does not say which architecture it has", "\"model_type\": \"llama\",", "")
    try config("hidden_size is missing", "\"hidden_size\": 32", "\"other\": 32")
    try config("hidden_size is 0, not a whole number", "\"hidden_size\": 32", "\"hidden_size\": 0")
    try config("hidden_size is -1,", "\"hidden_size\": 32", "\"hidden_size\": -1")
    try config("hidden_size is 32.5,", "\"hidden_size\": 32", "\"hidden_size\": 32.5")
    try config("hidden_size is \"32\"", "\"hidden_size\": 32", "\"hidden_size\": \"32\"")
    try config("not a whole number", "\"hidden_size\": 32", "\"hidden_size\": 1e300")
    try config("occurs twice", "\"hidden_size\": 32", "\"hidden_size\": 32, \"hidden_size\": 32")
    try config("has the shape [276, 32]", "\"hidden_size\": 32", "\"hidden_size\": 64")
    try config("has the shape [276, 32]", "\"vocab_size\": 276", "\"vocab_size\": 275")
    try config("cannot share 3 key-value", "_value_heads\": 2", "_value_heads\": 3")
    try config("hidden_act is \"tanh\"", "\"silu\"", "\"tanh\"")
    try config(
      "q_proj.bias: is missing", "\"head_dim\": 8", "\"head_dim\": 8, \"attention_bias\": true")
    try config(
      "is quantized by hqq, which is not read", "\"head_dim\": 8",
      "\"quantization_config\": {\"quant_method\": \"hqq\"}")
    try config(
      "RoPE scaling of type \"dynamic\"", "\"rope_scaling\": null",
      "\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2}")
    try config(
      "factor is missing", "\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"llama3\"}")
    try config(
      "lm_head.weight: is missing", "\"tie_word_embeddings\": true",
      "\"tie_word_embeddings\": false")
  }

  @Test func safetensorsHeaders() throws {
    func header(_ part: String, _ json: String, length: UInt64? = nil, dataCount: Int = 8) throws {
      try expect(part) { try writeHeader($0, json, length: length, dataCount: dataCount) }
    }
    let good = #""a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}"#
    try header("model.embed_tokens.weight: is missing", "{\(good)}")
    try header("the header claims 18446744073709551615 bytes", "{}", length: .max)
    try header("the header claims 100 bytes, but only", "{}", length: 100)
    try header("not valid JSON", "{\(good)", dataCount: 8)
    try header("occurs twice", "{\(good), \(good)}")
    try header("the header does not start with {", "[1]")
    try header("the header does not start with {", " {\(good)}")
    try header("the header claims 100000001 bytes, more than", "{}", length: 100_000_001)
    try header("__metadata__ is no object", #"{"__metadata__": 1}"#, dataCount: 0)
    try header("metadata a is no text", #"{"__metadata__": {"a": 1}}"#, dataCount: 0)
    try header("not valid JSON", "", dataCount: 0)
    try header("not valid JSON", "{\"a\": }", dataCount: 0)
    // A hole before the tensor.
    try header(
      "holds 12 bytes of tensors, but its header describes 8",
      #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}"#, dataCount: 12)
    try header("tensor a: the header lacks its dtype", #"{"a": {"dtype": "F32"}}"#)
    try header(
      "not a list of at most 8 sizes",
      #"{"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}"#)
    try header(
      "overflows",
      #"{"a": {"dtype": "F32", "shape": [4611686018427387904, 8], "data_offsets": [0, 8]}}"#)
    // Of a type that nobody knows, too.
    try header(
      "of F6_E2M3 is more than 8 bytes can hold",
      #"{"a": {"dtype": "F6_E2M3", "shape": [4611686018427387904, 8], "data_offsets": [0, 8]}}"#)
    try header(
      "takes 12 bytes, but 8", #"{"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}"#)
    for offsets in ["[0, 9]", "[4, 0]", "[-4, 4]", "[0]", "[0, 1e30]", "[0, 8, 8]"] {
      try header(
        "the data_offsets do not lie in the 8 bytes",
        #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": \#(offsets)}}"#)
    }
    try header(
      "shares bytes with tensor a",
      "{\(good), \"b\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [4, 12]}}",
      dataCount: 12)
    try header("holds 9 bytes of tensors, but its header describes 8", "{\(good)}", dataCount: 9)
    try expect("too short for a safetensors header") {
      try TestFiles.write([1, 2, 3], to: "\($0)/model.safetensors")
    }
  }

  @Test func unsupportedTensors() throws {
    func dtype(_ part: String, _ old: String, _ new: String) throws {
      try expect(part) { directory in
        let path = "\(directory)/model.safetensors"
        let bytes = try TestFiles.read(path)
        let length = Int(bytes[0]) | Int(bytes[1]) << 8
        var header = String(decoding: bytes[8..<8 + length], as: UTF8.self)
        header = header.replacing(old, with: new)
        try TestFiles.write(
          little(UInt64(header.utf8.count)) + Array(header.utf8) + bytes[(8 + length)...], to: path)
      }
    }
    try dtype("type I16 is not read", "BF16", "I16")
    try dtype("type F8_E5M2 is not read", "BF16", "F8_E5M2")
    try dtype("type Q8_0 does not belong into safetensors files", "BF16", "Q8_0")
  }

  @Test func shardIndexes() throws {
    let index = "model.safetensors.index.json"
    try expect("is not mapped to a safetensors file", "tiny-sharded") {
      try replace("\($0)/\(index)", "\"model-00001-of", "\"../model-00001-of")
    }
    try expect("weight_map is missing", "tiny-sharded") {
      try replace("\($0)/\(index)", "weight_map", "weight_mop")
    }
    try expect("is missing, though model.safetensors.index.json lists it", "tiny-sharded") {
      try replace("\($0)/\(index)", "\"lm_head.weight\"", "\"lm_head2.weight\"")
    }
    try expect("is also stored in model-00001-of-00002.safetensors", "tiny-sharded") {
      try remove("\($0)/model-00002-of-00002.safetensors")
      try FileManager.default.copyItem(
        atPath: "\($0)/model-00001-of-00002.safetensors",
        toPath: "\($0)/model-00002-of-00002.safetensors")
    }
  }

  @Test func tokenizers() throws {
    func tokenizer(_ part: String, _ old: String, _ new: String) throws {
      try expect(part) { try replace("\($0)/tokenizer.json", old, new) }
    }
    try tokenizer("a tokenizer of type WordPiece", "\"type\": \"BPE\"", "\"type\": \"WordPiece\"")
    try tokenizer("model.vocab is missing", "\"type\": \"BPE\"", "\"type\": \"Unigram\"")
    try tokenizer(
      "a normalizer of type BertNormalizer", "zer\": null", "zer\": {\"type\": \"BertNormalizer\"}")
    try tokenizer("precompiled_charsmap", "zer\": null", "zer\": {\"type\": \"Precompiled\"}")
    try tokenizer("a Replace normalizer", "zer\": null", "zer\": {\"type\": \"Replace\"}")
    try tokenizer("the pre-tokenizer UnicodeScripts", "\"ByteLevel\"", "\"UnicodeScripts\"")
    try tokenizer("a Split pre-tokenizer has no pattern", "\"ByteLevel\"", "\"Split\"")
    func postProcessor(_ part: String, _ single: String) throws {
      try tokenizer(
        part, "\"post_processor\": null",
        "\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [\(single)]}")
    }
    let (text, end) = (
      "{\"Sequence\": {\"id\": \"A\"}}", "{\"SpecialToken\": {\"id\": \"<|end|>\"}}"
    )
    try postProcessor("ends texts with <|end|>, <|end|>", "\(text), \(end), \(end)")
    try postProcessor(
      "adds <|no|>, which is not", "{\"SpecialToken\": {\"id\": \"<|no|>\"}}, \(text)")
    try tokenizer(
      "has a token 66000, but the model's vocabulary ends at 275", "\": 100,", "\": 66000,")
    try tokenizer("has a token -1,", "\": 100,", "\": -1,")
    try tokenizer("gives two tokens the id 99", "\": 100,", "\": 99,")
    try tokenizer("gives \"", "\": 100,", "\": \"100\",")
    try expect("model.unk_id is 2, which is no token") {
      let model = #"{"type": "Unigram", "unk_id": 2, "vocab": [["<unk>", 0], ["a", -1]]}"#
      try TestFiles.write(
        Array(#"{"added_tokens": [], "model": \#(model)}"#.utf8), to: "\($0)/tokenizer.json")
    }
    try tokenizer("model.merges is missing", "\"merges\"", "\"marges\"")
    try tokenizer("model is missing", "\"model\"", "\"medel\"")
    try tokenizer("an added token lacks", "\"content\"", "\"contents\"")
  }

  /// As transformers 5.24 has it: in order behind those of tokenizer.json, and what is in the vocabulary under its number.
  @Test func tokensThatOtherFilesNameAreAdded() throws {
    func tokens(_ file: String, _ json: String) throws -> [TokenizerDefinition.AddedToken] {
      try TestFiles.withDirectory { directory in
        let copy = "\(directory)/tiny"
        try FileManager.default.copyItem(atPath: TestFiles.fixture("tiny"), toPath: copy)
        let before = try Checkpoint.open(copy).tokenizerDefinition()
        try? FileManager.default.removeItem(atPath: "\(copy)/\(file)")
        try TestFiles.write(Array(json.utf8), to: "\(copy)/\(file)")
        let after = try Checkpoint.open(copy).tokenizerDefinition()
        #expect(Array(after.tokens.prefix(before.tokens.count)) == Array(before.tokens))
        return after.addedTokens.filter { !before.addedTokens.contains($0) }
      }
    }
    let listed =
      "{\"added_tokens_decoder\": {\"900\": {\"content\": \"<|x|>\", \"special\": true, \"lstrip\": true}}}"
    #expect(
      try tokens("tokenizer_config.json", listed) == [
        TokenizerDefinition.AddedToken(id: 276, text: "<|x|>", isSpecial: true, stripsLeft: true)
      ])
    for json in [
      "{\"additional_special_tokens\": [\"<|x|>\"]}", "{\"bos_token\": {\"content\": \"<|x|>\"}}",
    ] {
      #expect(
        try tokens("special_tokens_map.json", json) == [
          TokenizerDefinition.AddedToken(id: 276, text: "<|x|>", isSpecial: true)
        ], "\(json)")
    }
    #expect(
      try tokens("added_tokens.json", "{\"<|y|>\": 277, \"<|x|>\": 276}").map(\.text)
        == ["<|x|>", "<|y|>"])
    let known = try tokens("special_tokens_map.json", "{\"pad_token\": \"a\"}")
    #expect(known.count == 1 && known[0].id < 276 && known[0].isSpecial)
  }
}
