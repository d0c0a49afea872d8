import Foundation

/// Files that tests read.
public enum Repository {
  /// The repository's root.
  public static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The path of a file or folder of the repository.
  public static func path(_ name: String) -> String { root.appending(path: name).path }

  /// The path of a file that a script in Tests/Oracles recorded for a test target.
  public static func fixture(_ name: String, of target: String) -> String {
    path("Tests/\(target)/Fixtures/\(name)")
  }

  /// The contents of such a file in JSON.
  public static func fixture<Contents: Decodable>(
    _ name: String, of target: String, as type: Contents.Type
  ) throws -> Contents {
    let data = try Data(contentsOf: URL(filePath: fixture(name, of: target)))
    return try JSONDecoder().decode(type, from: data)
  }

  /// The path of a real model, which `make test` fetches: VISE_MODELS says where, else `.models`.
  ///
  /// - Throws: ``MissingModel`` when it is not there.
  public static func model(_ name: String) throws -> String {
    let folder = ProcessInfo.processInfo.environment["VISE_MODELS"] ?? path(".models")
    let model = "\(folder)/\(name)"
    guard FileManager.default.fileExists(atPath: model) else { throw MissingModel(path: model) }
    return model
  }
}

/// A model that tests run on and nobody has fetched.
public struct MissingModel: Error, CustomStringConvertible {
  let path: String

  public var description: String {
    "\(path) is missing: run make models families, or set VISE_MODELS to its folder"
  }
}
