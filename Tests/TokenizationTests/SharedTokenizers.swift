import FoundationEssentials
import Testing
import TestSupport
import Tokenization

@testable import Checkpoints

/// The tokenizers that tests share, each read once, and recorded vectors.
enum SharedTokenizers {
  /// SmolLM2's, from a Hugging Face directory.
  static let smollm2 = Result { try Tokenizer(definition(of: Repository.model("smollm2-hf"))) }
  /// The same from GGUF metadata.
  static let gguf = Result { try Tokenizer(definition(of: Repository.model("smollm2.gguf"))) }
  /// The one of the model that the package ships.
  static let sample = Result { try Tokenizer(definition(of: Repository.path("Samples/scripture"))) }
  /// Small ones that Tests/Oracles/record_tokens.py made.
  static let gpt2 = Result { try small("gpt2") }
  static let llama3 = Result { try small("llama3") }
  /// The first, as if its texts started with its control token, and with a template that writes that token itself.
  static let beginning = Result {
    try small("gpt2") { definition in
      definition.beginToken = definition.addedTokens.first(where: \.isSpecial)?.id
      definition.addsBeginToken = true
      definition.templateTokens = [
        "bos_token": definition.addedTokens.first(where: \.isSpecial)?.text ?? ""
      ]
      definition.chatTemplate =
        "{{ bos_token }}{% for m in messages %}{{ m.content }}\n{% endfor %}"
    }
  }

  static func named(_ name: String) throws -> Tokenizer {
    switch name {
    case "sample": try sample.get()
    case "gpt2": try gpt2.get()
    case "llama3": try llama3.get()
    default: try smollm2.get()
    }
  }

  private static func definition(of path: String) throws -> TokenizerDefinition {
    try Checkpoint.open(path).tokenizerDefinition()
  }

  /// A tokenizer.json of the fixtures, put into a directory as checkpoints have it.
  private static func small(
    _ name: String, _ change: (inout TokenizerDefinition) -> Void = { _ in }
  ) throws -> Tokenizer {
    let json = try Data(contentsOf: URL(fileURLWithPath: fixture("\(name).json")))
    var definition = try files(String(decoding: json, as: UTF8.self)).definition()
    change(&definition)
    return try Tokenizer(definition)
  }

  /// A tokenizer.json with this text, in a directory as checkpoints have it.
  static func files(_ json: String) throws -> TokenizerFiles {
    let folder = try TemporaryFolder([("tokenizer.json", Array(json.utf8))])
    let directory = try #require(HuggingFaceDirectory(path: folder.path))
    return try TokenizerFiles(directory, vocabularySize: 1000)
  }

  static func fixture<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
    try Repository.fixture(name, of: "TokenizationTests", as: type)
  }

  private static func fixture(_ name: String) -> String {
    Repository.fixture(name, of: "TokenizationTests")
  }
}
