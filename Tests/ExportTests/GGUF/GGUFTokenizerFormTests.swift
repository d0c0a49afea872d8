import Foundation
import Tensors
import TestSupport
import Testing

@testable import Checkpoints
@testable import Export
@testable import Tokenization

/// How merges become what llama.cpp reads, against ids that `tokenizers` (Tests/Oracles/record_pieces.py) and SentencePiece
/// (record_sentencepiece.py) give.
struct GGUFTokenizerFormTests {
  private struct Model: Decodable {
    let json: String
    let plain: [[Int]]
  }

  private struct Pieces: Decodable {
    let texts: [String]
  }

  /// What SentencePiece says of one of its models.
  private struct Recorded: Decodable {
    struct Text: Decodable {
      let text: String
      let ids: [Int]
    }
    struct Piece: Decodable {
      let text: String
      let score: Float
      let kind: Int32

      init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        text = try list.decode(String.self)
        score = try list.decode(Float.self)
        kind = try list.decode(Int32.self)
      }
    }
    let model: Data
    let pieces: [Piece]
    let texts: [Text]
  }

  private static func recorded() throws -> Recorded {
    try Repository.fixture("sentencepiece.json", of: "ExportTests", as: Recorded.self)
  }

  private func folder(
    _ files: [(name: String, bytes: [UInt8])] = [("tokenizer.json", Array("{}".utf8))]
  ) throws -> (HuggingFaceDirectory, TemporaryFolder) {
    let folder = try TemporaryFolder(files)
    return (try #require(HuggingFaceDirectory(path: folder.path)), folder)
  }

  /// What a GGUF file of the tokenizer says when it is read, and what is noted of it.
  private func inGGUF(
    _ definition: TokenizerDefinition, _ directory: HuggingFaceDirectory
  ) throws -> (definition: TokenizerDefinition, notes: [String]) {
    var metadata = GGUFMetadata()
    try metadata.setTokenizer(
      definition, vocabularySize: definition.tokens.count, in: directory)
    let file = GGUFFile(metadata: metadata.fields, tensors: [])
    let header = try GGUFHeader(ByteStorage(copying: file.header), file: "out.gguf")
    let reader = GGUFTokenizer(header: header, vocabularySize: definition.tokens.count)
    return (try reader.definition(), metadata.notes)
  }

  /// Merges that were trained, which say less than the vocabulary would allow, become scores all the same.
  @Test(arguments: ["prepend", "no prefix", "first"])
  func trainedMergesBecomeScores(name: String) throws {
    let models = try Repository.fixture(
      "models.json", of: "TokenizationTests", as: [String: Model].self)
    let texts = try Repository.fixture("pieces.json", of: "TokenizationTests", as: Pieces.self)
      .texts
    let model = try #require(models[name])
    let (directory, folder) = try folder([("tokenizer.json", Array(model.json.utf8))])
    defer { _ = folder }
    let source = try TokenizerFiles(directory, vocabularySize: 1000).definition()
    let (written, notes) = try inGGUF(source, directory)
    let putsSpaces = name != "first"
    #expect(notes.isEmpty == putsSpaces, "\(notes)")
    #expect(!written.scores.isEmpty)
    let tokenizer = try Tokenizer(written)
    // GGUF has no words for how tokens inside a text are found, which is not what is asked here.
    let added = source.addedTokens.map { Array($0.text.unicodeScalars) }
    var compared = 0
    for (text, ids) in zip(texts, model.plain)
    where !added.contains(where: { Array(text.unicodeScalars).contains($0) })
      && (putsSpaces || !text.hasPrefix(" "))
    {
      compared += 1
      #expect(tokenizer.encode(text, allowsSpecialTokens: false) == ids, "\(text.debugDescription)")
    }
    #expect(compared > 40)
  }

  @Test func sentencePieceFilesAreRead() throws {
    let recorded = try Self.recorded()
    let model = try #require(SentencePieceModel(Array(recorded.model)))
    #expect(model.mergesByScore)
    #expect(model.pieces.map(\.text) == recorded.pieces.map(\.text))
    #expect(model.pieces.map(\.score) == recorded.pieces.map(\.score))
    #expect(model.pieces.map(\.kind.rawValue) == recorded.pieces.map(\.kind))
  }

  /// A cut file ends in an error, and any other change in another model or an error.
  @Test func damagedSentencePieceFilesAreRefused() throws {
    let bytes = Array(try Self.recorded().model)
    for count in stride(from: 1, to: bytes.count, by: 7) {
      let pieces = SentencePieceModel(Array(bytes.prefix(count)))?.pieces.count
      #expect(pieces.map { $0 < 640 } ?? true)
    }
    var random = SeededRandom(seed: 3)
    for _ in 0..<2000 {
      var damaged = bytes
      let place = Int.random(in: damaged.indices, using: &random)
      damaged[place] = UInt8(truncatingIfNeeded: random.next())
      let pieces = SentencePieceModel(damaged)?.pieces.count ?? 0
      #expect(pieces <= bytes.count)
    }
    #expect(SentencePieceModel([]) == nil)
    #expect(
      SentencePieceModel([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]) == nil)
    let (directory, folder) = try folder([("tokenizer.model", Array("not one".utf8))])
    defer { _ = folder }
    let error = #expect(throws: CheckpointError.self) {
      try SentencePieceModel(path: directory.filePath("tokenizer.model"))
    }
    #expect(error?.description.contains("is no SentencePiece model") == true)
  }

  /// The recorded model as a tokenizer.json that has lost its last merges.
  private func definition(_ recorded: Recorded, losing count: Int) -> TokenizerDefinition {
    var definition = TokenizerDefinition(
      source: "tokenizer.json", model: .sentencePiece, tokens: recorded.pieces.map(\.text),
      scores: recorded.pieces.map { $0.kind == 1 ? Double($0.score) : -.infinity },
      preTokenizer: .whole)
    definition.merges = definition.mergesOfScores.dropLast(count)
    definition.scores = []
    definition.unknownToken = 0
    definition.fallsBackToBytes = true
    definition.normalizations = [
      .prepend(Normalization.spaceMark), .replace(" ", with: Normalization.spaceMark),
    ]
    definition.addedTokens = recorded.pieces.enumerated().filter {
      (1...3).contains($0.element.kind) && $0.element.kind != 1
    }
    .map { .init(id: $0.offset, text: $0.element.text, isSpecial: true) }
    return definition
  }

  @Test func allMergesBecomeScores() throws {
    let recorded = try Self.recorded()
    let (directory, folder) = try folder()
    defer { _ = folder }
    let (written, notes) = try inGGUF(definition(recorded, losing: 0), directory)
    #expect(notes.isEmpty)
    let tokenizer = try Tokenizer(written)
    for row in recorded.texts {
      #expect(tokenizer.encode(row.text, allowsSpecialTokens: false) == row.ids, "\(row.text)")
    }
  }

  /// Where merges are not there for all tokens, SentencePiece's own scores are written.
  @Test func lostMergesComeFromTheSentencePieceFile() throws {
    let recorded = try Self.recorded()
    let (directory, folder) = try folder([("tokenizer.model", Array(recorded.model))])
    defer { _ = folder }
    let (written, notes) = try inGGUF(definition(recorded, losing: 60), directory)
    #expect(notes.count == 1)
    #expect(notes.first?.contains("tokenizer.model") == true, "\(notes)")
    #expect(notes.first?.contains(" it makes ") == true, "\(notes)")
    let tokenizer = try Tokenizer(written)
    for row in recorded.texts {
      #expect(tokenizer.encode(row.text, allowsSpecialTokens: false) == row.ids, "\(row.text)")
    }
  }

  /// Without that file the first difference on a sample is named.
  @Test func lostMergesAreRefusedOtherwise() throws {
    let (directory, folder) = try folder()
    defer { _ = folder }
    let source = try definition(Self.recorded(), losing: 60)
    let error = #expect(throws: CheckpointError.self) { try self.inGGUF(source, directory) }
    let sentence = error?.description ?? ""
    #expect(
      sentence.contains("has merges that llama.cpp's scores of tokens cannot say"), "\(sentence)")
    #expect(sentence.contains(" it makes \""), "\(sentence)")
  }

  /// One token that no merge makes, and no usual text has, is noted.
  @Test func raresAreNoted() throws {
    let (directory, folder) = try folder()
    defer { _ = folder }
    var source = try definition(Self.recorded(), losing: 0)
    let texts = Array(source.tokens) + ["qz"]
    source.tokens = TokenTable(texts)
    let (written, notes) = try inGGUF(source, directory)
    #expect(notes.count == 1)
    #expect(notes.first?.contains("\"q\" and \"z\" become one token") == true, "\(notes)")
    #expect(notes.first?.contains("same tokens") == true, "\(notes)")
    let id = texts.count - 1
    #expect(try Tokenizer(written).encode("qz", allowsSpecialTokens: false).contains(id))
    #expect(try !Tokenizer(source).encode("qz", allowsSpecialTokens: false).contains(id))
  }

  @Test func bytesMustHaveTokens() throws {
    let (directory, folder) = try folder()
    defer { _ = folder }
    var source = try definition(Self.recorded(), losing: 0)
    source.fallsBackToBytes = false
    let error = #expect(throws: CheckpointError.self) { try self.inGGUF(source, directory) }
    #expect(error?.description.contains("no tokens for bytes") == true)
  }

  /// Byte-level BPE with Mistral's cuts, by whether a token that merges do not make is there.
  private func tekken(_ more: [String]) throws -> TokenizerDefinition {
    let bytes = (UInt8.min...UInt8.max).map { ByteAlphabet.spelling(of: [$0]) }
    let texts = bytes.map { String(decoding: $0, as: UTF8.self) } + ["th", "the"] + more
    var definition = TokenizerDefinition(
      source: "tokenizer.json", tokens: texts, preTokenizer: .tekken)
    func id(_ text: String) throws -> UInt32 {
      UInt32(try #require(definition.tokens.id(of: text)))
    }
    definition.merges = try [("t", "h"), ("th", "e")].map { left, right in
      .init(left: try id(left), right: try id(right), result: try id(left + right))
    }
    return definition
  }

  /// llama.cpp takes words that are tokens as they are under Mistral's cuts: no matter where merges make them all.
  @Test func wholeWordsThatMergesMakeNeedNoWord() throws {
    let (directory, folder) = try folder()
    defer { _ = folder }
    let (written, notes) = try inGGUF(tekken([]), directory)
    #expect(notes.isEmpty)
    #expect(written.preTokenizer == .tekken)
    #expect(written.ignoresMerges)
    let noted = try inGGUF(tekken(["qzx"]), directory).notes
    #expect(noted.first?.contains("also \"qzx\"") == true, "\(noted)")
    let error = #expect(throws: CheckpointError.self) {
      try self.inGGUF(tekken(["fox", "quick", "\u{120}quick"]), directory)
    }
    #expect(
      error?.description.contains("it makes \" quick\" where \" \" belongs") == true,
      "\(error?.description ?? "")")
  }

  /// llama.cpp does not load what it takes for Phi-3 without tokens that Phi-3 has.
  @Test func misleadingNamesAreLeftOut() throws {
    let folder = try TemporaryFolder([])
    let path = "\(folder.path)/my-phi3"
    try FileManager.default.copyItem(atPath: Repository.path("Samples/scripture"), toPath: path)
    let checkpoint = try Checkpoint.open(path)
    let metadata = try GGUFMetadata(of: checkpoint)
    #expect(!metadata.fields.contains { $0.key == "general.name" })
    #expect(metadata.notes.first?.contains("without the token") == true, "\(metadata.notes)")
    let plain = try GGUFMetadata(of: Checkpoint.open(Repository.path("Samples/scripture")))
    #expect(plain.fields.contains { $0.key == "general.name" })
    #expect(plain.notes.isEmpty)
  }
}
