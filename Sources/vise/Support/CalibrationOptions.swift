import ArgumentParser
import Engine

/// A text that the model is calibrated on, and how much of it.
struct CalibrationOptions: ParsableArguments {
  @Option(
    help: """
      A UTF-8 text, or JSON lines with a text or messages field; without it, calibration.txt \
      beside the model or in Samples.
      """, completion: .file())
  var text: String?

  @Option(help: "Most tokens to read.")
  var tokens = 16_384

  @Option(
    help: """
      Tokens a window, each read afresh; without it, 512 or the model's context if that is shorter.
      """)
  var window: Int?

  func validate() throws { try Self.check(window: window, tokens: tokens) }

  /// Checks how much is to be read.
  static func check(window: Int?, tokens: Int) throws {
    guard window.map({ $0 >= 3 }) ?? true else {
      throw ValidationError("--window is at least 3.")
    }
    guard tokens >= window ?? 3 else { throw ValidationError("--tokens is at least one window.") }
  }

  /// The text that was named, or the one at hand for the model at `path`.
  ///
  /// - Throws: ``CommandFailure`` when there is none.
  func path(for path: String) throws(CommandFailure) -> String {
    try Self.path(text, for: path)
  }

  /// The text called `text`, or the one at hand for the model at `path`.
  ///
  /// - Throws: ``CommandFailure`` when there is none.
  static func path(_ text: String?, for path: String) throws(CommandFailure) -> String {
    guard let found = text ?? CalibrationText.standard(forModelAt: path) else {
      throw CommandFailure(
        status: .usage,
        message: "no calibration.txt beside the model or in Samples; name a text with --text")
    }
    return found
  }

  func request(for path: String) throws(CommandFailure) -> CalibrationRequest {
    CalibrationRequest(textPath: try self.path(for: path), window: window, tokenLimit: tokens)
  }
}

extension EngineSession {
  /// Calibrates, and warns where the text is too short.
  func calibrate(_ request: CalibrationRequest) throws(CommandFailure) -> CalibrationSummary {
    let job = CommandJob.calibration.id
    send(.calibrate(job, request))
    let found = try next { event in
      if case .calibrated(job, let summary) = event { summary } else { nil }
    }
    if let warning = found.warning { warn(warning) }
    return found
  }
}
