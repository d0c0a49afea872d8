import ArgumentParser
import Serving

/// A server whose model answers beside the models here.
struct ServingOptions: ParsableArguments {
  @Option(
    name: .customLong("serve"),
    help: "A server that answers too, by its OpenAI-compatible API: http://localhost:8000.")
  var url: String?

  @Option(
    name: .customLong("served-model"),
    help: "The model's name on that server; needed if it has several.")
  var model: String?

  func validate() throws {
    guard url != nil || model == nil else { throw ValidationError("--served-model needs --serve.") }
  }

  /// The server; nil if none is to be asked.
  func address() throws(CommandFailure) -> ServerAddress? {
    guard let url else { return nil }
    do {
      return try ServerAddress(url, model: model)
    } catch {
      throw CommandFailure(status: .usage, message: error.description)
    }
  }
}
