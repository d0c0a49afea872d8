import FoundationEssentials
import Testing

/// Files that tests read and write.
enum TestFiles {
  private static let package = String(
    #filePath.dropLast("/Tests/CheckpointsTests/TestFiles.swift".count))

  /// The path of a recorded file, made by a script in Tests/Oracles.
  static func fixture(_ name: String) -> String {
    "\(package)/Tests/CheckpointsTests/Fixtures/\(name)"
  }

  /// The path of a real model, which `make test` fetches.
  static func model(_ name: String) throws -> String {
    let folder = ProcessInfo.processInfo.environment["VISE_MODELS"] ?? "\(package)/.models"
    let path = "\(folder)/\(name)"
    try #require(
      FileManager.default.fileExists(atPath: path),
      "\(path) is missing: run Tests/Oracles/make_models.py, or set VISE_MODELS to its folder")
    return path
  }

  /// Calls `body` with a new, empty directory and removes it afterwards.
  static func withDirectory<R>(_ body: (String) throws -> R) throws -> R {
    let path = FileManager.default.temporaryDirectory.path + "/vise-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  static func write(_ bytes: [UInt8], to path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  static func read(_ path: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
