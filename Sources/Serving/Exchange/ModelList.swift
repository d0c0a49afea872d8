import JSON
import Text

/// The models that a server offers.
struct ModelList {
  private let address: ServerAddress
  let names: [String]

  /// Most names that a sentence tells.
  private static let toldLimit = 8

  /// Reads the answer to `GET /v1/models`.
  init(_ body: [UInt8], from address: ServerAddress) throws(ServerFailure) {
    guard let models = (try? JSONReader.read(body))?.object?["data"]?.array else {
      throw address.failure(
        "what it sends is no list of models; does it speak OpenAI's API?")
    }
    self.address = address
    names = models.compactMap { $0.object?["id"]?.string }
  }

  /// The name of the only model.
  var only: String {
    get throws(ServerFailure) {
      guard names.count <= 1 else {
        let told = names.prefix(Self.toldLimit).map { DisplayText.line($0, limit: 80) }
        let more = names.count > told.count ? " and \(names.count - told.count) more" : ""
        throw address.failure(
          "it serves \(told.joined(separator: ", "))\(more); say which, after the URL or with --served-model"
        )
      }
      guard let name = names.first else { throw address.failure("it serves no model") }
      return name
    }
  }
}
