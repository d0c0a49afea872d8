import Compression
import Engine
import TestSupport
import Testing

/// A model that does not run: what needs a run says why it cannot, before anything of it is read.
struct WeightsOnlyTests {
  private let folder: TensorFolder
  private let driver = Driver()
  private let job = JobID(3)

  init() throws {
    folder = try TensorFolder(
      config: #"{"model_type": "new"}"#,
      tensors: [
        "model.embed_tokens.weight": [64, 32], "model.layers.0.mlp.up_proj.weight": [64, 32],
      ])
    driver.send(.open(path: folder.path))
  }

  private func failure(of command: EngineCommand) -> String {
    driver.send(command)
    driver.run()
    guard case .failed(let reason) = driver.events.endings.last?.outcome else {
      Issue.record("it did not fail: \(driver.events.endings)")
      return ""
    }
    return reason
  }

  private let reason = #"this model does not run: the architecture "new" does not run yet"#

  @Test func logitsSayWhyThereAreNone() {
    let request = LogitsRequest(
      textPath: folder.path + "/config.json", tokenLimit: 8, side: .reference,
      outputPath: folder.path + "/logits.safetensors", replaces: false)
    #expect(failure(of: .writeLogits(job, request)) == reason)
  }

  @Test func calibrationSaysWhyThereIsNone() {
    let request = CalibrationRequest(
      textPath: folder.path + "/config.json", window: nil, tokenLimit: 64)
    #expect(failure(of: .calibrate(job, request)) == reason)
  }

  @Test func pruningSaysWhyThereIsNone() {
    let request = StructureRequest(
      textPath: folder.path + "/config.json", structure: ModelStructure(neurons: 32))
    #expect(failure(of: .chooseStructure(job, request)) == reason)
  }
}
