import ArgumentParser
import Checkpoints
import Engine

/// A plan that a model is looked at under, and what its methods are calibrated on.
struct PlanUnderTest: ParsableArguments {
  @Option(help: "A plan file.", completion: .file(extensions: ["yaml", "yml"]))
  var plan: String?

  @Option(
    help: "A text to calibrate the plan's methods on, if they need that.", completion: .file())
  var calibration: String?
}

extension EngineSession {
  /// Opens the checkpoint at `path`, calibrates, and sets the plan, each as far as it was asked for.
  func open(_ path: String, under options: PlanUnderTest) throws -> ModelDescription {
    let opened = try open(path)
    if let calibration = options.calibration {
      _ = try calibrate(
        CalibrationRequest(textPath: calibration, collectsWhenNeeded: true))
    }
    if let plan = options.plan { setPlan(try PlanFile.read(plan), from: plan, for: opened) }
    return opened
  }
}
