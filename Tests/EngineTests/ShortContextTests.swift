import Compression
import Engine
import Testing

/// Models whose context is shorter than the usual window are calibrated and measured in windows that fit.
@Suite struct ShortContextTests {
  private static let text = String(
    repeating: "In the beginning God created the heaven. ", count: 60)
  private static let plan =
    "vise: 1\nrules:\n  - { layers: \"*.mlp.*\", bits: 4, group: 32, method: gptq }\n"

  private let model: TinyModel
  private let text: String

  init() throws {
    model = try TinyModel(contextLength: 48)
    text = try model.write(Self.text, to: "calibration.txt")
  }

  private func summary(_ request: CalibrationRequest) -> (CalibrationSummary?, [JobEnding]) {
    let driver = Driver(model)
    driver.send(.calibrate(JobID(1), request))
    driver.run()
    let found = driver.events.lazy.compactMap { event -> CalibrationSummary? in
      if case .calibrated(_, let summary) = event { summary } else { nil }
    }
    return (found.first, driver.events.endings)
  }

  @Test func windowsFitTheContextWhereNobodySaysHowLong() {
    let (found, _) = summary(CalibrationRequest(textPath: text, tokenLimit: 960))
    #expect(found?.window == 48)
    #expect(found?.windows == 20 && found?.tokens == 960)
    let (asked, _) = summary(CalibrationRequest(textPath: text, window: 16, tokenLimit: 960))
    #expect(asked?.window == 16 && asked?.windows == 60)
  }

  @Test func longerWindowsThatAreAskedForAreRefused() {
    let (found, endings) = summary(CalibrationRequest(textPath: text, window: 64))
    #expect(found == nil)
    guard case .failed(let reason)? = endings.first?.outcome else {
      Issue.record("\(endings)")
      return
    }
    #expect(reason.contains("64") && reason.contains("48"))
  }

  /// A plan that needs a calibration nobody asked for gets one that fits.
  @Test func theEnginesOwnCalibrationFits() throws {
    let driver = Driver(model)
    driver.send(.setPlan(try Plan(yaml: Self.plan)))
    driver.run()
    let found = driver.events.lazy.compactMap { event -> CalibrationSummary? in
      if case .calibrated(.calibration, let summary) = event { summary } else { nil }
    }
    #expect(found.first?.window == 48)
    #expect(
      driver.events.endings.contains { $0 == JobEnding(id: .compression, outcome: .finished) })
  }

  @Test func exportsCalibrateInWindowsAsAsked() throws {
    let plan = try model.write(Self.plan, to: "plan.yaml")
    let arguments = ["export", model.path, "--plan", plan, "--target", "transformers"]
    // The text beside the model is taken, and that is said.
    let implicit = try ViseProcess(arguments + ["--output", "\(model.path)/one"])
    #expect(implicit.status == 0, "\(implicit.errors)")
    #expect(implicit.errors.contains("windows of 48 tokens"))
    let named = try ViseProcess(
      arguments + [
        "--output", "\(model.path)/two", "--calibration", text, "--window", "32",
        "--calibration-tokens", "640",
      ])
    #expect(named.status == 0, "\(named.errors)")
    let long = try ViseProcess(
      arguments + ["--output", "\(model.path)/three", "--calibration", text, "--window", "64"])
    #expect(long.status == 1 && long.errors.contains("64"))
    let few = try ViseProcess(
      arguments + [
        "--output", "\(model.path)/four", "--window", "64", "--calibration-tokens", "32",
      ])
    #expect(few.status == 64 && few.errors.contains("at least one window"))
  }

  @Test func compressAndEvaluateFitToo() throws {
    let run = try ViseProcess([
      "compress", model.path, "--budget", "7bpw", "--format", "gguf", "--text", text, "--output",
      "\(model.path)/out.gguf", "--tokens", "960",
    ])
    #expect(run.status == 0, "\(run.errors)")
    let evaluated = try ViseProcess(["evaluate", model.path, "--text", text, "--json"])
    #expect(evaluated.status == 0, "\(evaluated.errors)")
    let compared = try ViseProcess([
      "compare", model.path, "\(model.path)/out.gguf", "--text", text, "--json",
    ])
    #expect(compared.status == 0, "\(compared.errors)")
    #expect(try compared.object()["windows"] as? Int == 51)
  }
}
