import Foundation

/// Reads a JSON file of this module's `Fixtures` folder.
func fixture<Contents: Decodable>(_ name: String, as type: Contents.Type) throws -> Contents {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  let data = try Data(contentsOf: folder.appending(path: "Fixtures/\(name)"))
  return try JSONDecoder().decode(type, from: data)
}
