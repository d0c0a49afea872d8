import FoundationEssentials

/// The real models that tests run on, which `make test` fetches.
enum RealModels {
  /// The path of a model; opening it says so if it is not there.
  static func path(_ name: String) -> String {
    let repository = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../..").standardized
    let folder =
      ProcessInfo.processInfo.environment["VISE_MODELS"].map { URL(filePath: $0) }
      ?? repository.appending(path: ".models")
    return folder.appending(path: name).path
  }
}
