import Compression
import Engine
import Testing
import TestSupport

/// SmolLM2-135M-Instruct from a GGUF file and from a Hugging Face directory of the same weights.
@Suite struct RealModelTests {
  private let layers = ["model.layers.12.mlp.down_proj", "model.layers.12.self_attn.q_proj"]

  /// The exact reports on ``layers`` and the two answers of a model.
  private func session(
    on name: String
  ) throws -> (reports: [LayerReport], reference: [Int], compressed: [Int]) {
    let driver = Driver(EngineSettings())
    driver.send(.open(path: try Repository.model(name)))
    let change = SchemeChange(bits: 4, group: .size(64))
    driver.send(.look(at: layers))
    driver.send(.setPlan(Plan(rules: [PlanRule(layers: layers, change: change)])))
    driver.send(
      .generate(JobID(1), GenerationRequest(prompt: "Tell me about the sea.", tokenLimit: 8)))
    driver.run()
    let reports = driver.events.reports.filter { $0.standing == .exact }
    return (
      reports, driver.events.tokens(.reference).compactMap(\.id),
      driver.events.tokens(.compressed).compactMap(\.id)
    )
  }

  @Test func bothFormatsGiveTheSameFiguresAndAnswers() throws {
    let gguf = try session(on: "smollm2.gguf")
    let directory = try session(on: "smollm2-hf")
    #expect(gguf.reports.map(\.layer) == layers)
    #expect(directory.reports.map(\.layer) == layers)
    for (left, right) in zip(gguf.reports, directory.reports) {
      #expect(abs((left.error.sqnr ?? 0) - (right.error.sqnr ?? 0)) < 0.05)
      #expect((left.error.sqnr ?? 0) > 15)
      #expect(left.size.total == right.size.total)
    }
    #expect(gguf.reference.count == 8)
    #expect(gguf.reference == directory.reference)
    #expect(gguf.compressed == directory.compressed)
  }
}
