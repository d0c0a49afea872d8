import FoundationEssentials
import TestSupport

/// Files that tests read and write.
enum TestFiles {
  /// The path of a recorded file, made by a script in Tests/Oracles.
  static func fixture(_ name: String) -> String {
    Repository.fixture(name, of: "CheckpointsTests")
  }

  /// Calls `body` with a new, empty directory and removes it afterwards.
  static func withDirectory<R>(_ body: (String) throws -> R) throws -> R {
    let folder = try TemporaryFolder()
    return try withExtendedLifetime(folder) { try body(folder.path) }
  }

  static func write(_ bytes: [UInt8], to path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  static func read(_ path: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
