import ArgumentParser

/// How much of a text is read to measure on it.
struct WindowOptions: ParsableArguments {
  @Option(help: "Tokens a window; without it, 512 or the model's context if that is shorter.")
  var window: Int?

  @Option(help: "Most windows to read; without it, the whole text.")
  var windows: Int?

  func validate() throws {
    guard window.map({ $0 >= 2 }) ?? true else {
      throw ValidationError("--window is at least 2.")
    }
    guard windows.map({ $0 > 0 }) ?? true else {
      throw ValidationError("--windows is at least 1.")
    }
  }
}
