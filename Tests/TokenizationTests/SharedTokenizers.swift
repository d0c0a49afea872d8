import FoundationEssentials
import Testing
import Tokenization

@testable import Checkpoints

/// The tokenizers that tests share, each read once, and recorded vectors.
enum SharedTokenizers {
  private static let package = String(
    #filePath.dropLast("/Tests/TokenizationTests/SharedTokenizers.swift".count))
  private static let fixtures = "\(package)/Tests/TokenizationTests/Fixtures"

  /// SmolLM2's, from a Hugging Face directory.
  static let smollm2 = Result { try Tokenizer(definition(of: model("smollm2-hf"))) }
  /// The same from GGUF metadata.
  static let gguf = Result { try Tokenizer(definition(of: model("smollm2.gguf"))) }
  /// The one of the model that the package ships.
  static let sample = Result { try Tokenizer(definition(of: "\(package)/Samples/scripture")) }
  /// Small ones that Tests/Oracles/record_tokens.py made.
  static let gpt2 = Result { try small("gpt2") }
  static let llama3 = Result { try small("llama3") }

  static func named(_ name: String) throws -> Tokenizer {
    switch name {
    case "sample": try sample.get()
    case "gpt2": try gpt2.get()
    case "llama3": try llama3.get()
    default: try smollm2.get()
    }
  }

  private static func model(_ name: String) throws -> String {
    let folder = ProcessInfo.processInfo.environment["VISE_MODELS"] ?? "\(package)/.models"
    let path = "\(folder)/\(name)"
    try #require(
      FileManager.default.fileExists(atPath: path),
      "\(path) is missing: run Tests/Oracles/make_models.py, or set VISE_MODELS to its folder")
    return path
  }

  private static func definition(of path: String) throws -> TokenizerDefinition {
    try Checkpoint.open(path).tokenizerDefinition()
  }

  /// A tokenizer.json of the fixtures, put into a directory as checkpoints have it.
  private static func small(_ name: String) throws -> Tokenizer {
    let path = FileManager.default.temporaryDirectory.path + "/vise-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try FileManager.default.copyItem(
      atPath: "\(fixtures)/\(name).json", toPath: "\(path)/tokenizer.json")
    let directory = try #require(HuggingFaceDirectory(path: path))
    return try Tokenizer(TokenizerFiles(directory, vocabularySize: 1000).definition())
  }

  static func fixture<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
    let url = URL(fileURLWithPath: "\(fixtures)/\(name)")
    return try JSONDecoder().decode(type, from: Data(contentsOf: url))
  }
}
