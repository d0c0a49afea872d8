import Foundation
import TestSupport

/// Reads a JSON file of this module's `Fixtures` folder.
func fixture<Contents: Decodable>(_ name: String, as type: Contents.Type) throws -> Contents {
  try Repository.fixture(name, of: "CompressionTests", as: type)
}
