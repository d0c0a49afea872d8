import Checkpoints
import FoundationEssentials
import Testing
import Tokenization

/// The tokenizers that tests share; each is read once.
enum SharedTokenizers {
  private static let package = String(
    #filePath.dropLast("/Tests/TokenizationTests/SharedTokenizers.swift".count))

  static let directory = Result { try open("smollm2-hf") }
  static let gguf = Result { try open("smollm2.gguf") }

  private static func open(_ name: String) throws -> Tokenizer {
    let folder = ProcessInfo.processInfo.environment["VISE_MODELS"] ?? "\(package)/.models"
    let path = "\(folder)/\(name)"
    try #require(
      FileManager.default.fileExists(atPath: path),
      "\(path) is missing: run Tests/Oracles/make_models.py, or set VISE_MODELS to its folder")
    return try Tokenizer(Checkpoint.open(path).tokenizerDefinition())
  }

  static func fixture<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
    let path = "\(package)/Tests/TokenizationTests/Fixtures/\(name)"
    return try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
