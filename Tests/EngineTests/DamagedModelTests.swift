@testable import Checkpoints
import Compression
import Engine
import Export
import Foundation
import Testing

/// A model with a NaN in a norm, a kept layer or the embedding: named by all that reads it, and never a figure.
@Suite struct DamagedModelTests {
  private static let job = JobID(7)
  private let model: TinyModel
  private let plan = Plan(rules: [
    PlanRule(layers: ["*.mlp.*"], change: SchemeChange(bits: 4, group: .size(32)))
  ])

  private let blocks = Plan(rules: [
    PlanRule(layers: ["*.mlp.*"], change: SchemeChange(block: .q4_0))
  ])

  init() throws { model = try TinyModel() }

  /// Overwrites an element of a tensor of F32.
  private func damage(_ tensor: String, element: Int, value: Float = .nan) throws {
    let path = "\(model.path)/model.safetensors"
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    let header = try SafetensorsFileHeader(path)
    let start = try #require(header.offsets[tensor]) + 4 * element
    for (place, byte) in value.bitPattern.littleEndianBytes.enumerated() {
      bytes[start + place] = byte
    }
    try Data(bytes).write(to: URL(filePath: path))
  }

  private func sentence(of driver: Driver) -> String? {
    driver.events.endings.compactMap { ending in
      if ending.id == Self.job, case .failed(let sentence) = ending.outcome {
        sentence
      } else {
        nil
      }
    }.last
  }

  @Test(arguments: [
    ("model.norm.weight", "element 3"),
    ("model.layers.0.input_layernorm.weight", "element 3"),
    ("model.layers.0.self_attn.v_proj.weight", "row 0, column 3"),
    ("model.embed_tokens.weight", "row 0, column 3"),
    ("model.layers.0.mlp.up_proj.weight", "row 0"),
  ])
  func noExportIsMadeOfIt(tensor: String, place: String) throws {
    try damage(tensor, element: 3)
    let driver = Driver(model, EngineSettings(threads: 1, streamsExports: true))
    for (format, name) in [(ExportFormat.compressedTensors, "out"), (.gguf, "out.gguf")] {
      driver.send(.setPlan(format == .gguf ? blocks : plan))
      let request = ExportRequest(
        format: format, target: format == .gguf ? .llamaCpp : .transformers,
        path: "\(model.path)/\(name)", replaces: false)
      driver.send(.export(Self.job, request))
      driver.run()
      let sentence = try #require(self.sentence(of: driver))
      #expect(
        sentence.contains(tensor.replacing(".weight", with: "")) && sentence.contains(place),
        "\(sentence)")
      #expect(sentence.contains("NaN or an infinity"))
      #expect(!FileManager.default.fileExists(atPath: request.path))
    }
  }

  @Test(arguments: ["model.norm.weight", "model.layers.0.self_attn.v_proj.weight"])
  func noFigureIsMadeOfIt(tensor: String) throws {
    try damage(tensor, element: 3)
    let text = try model.write(String(repeating: "And it was so. ", count: 30), to: "text.txt")
    for arguments in [
      ["evaluate", model.path, "--text", text, "--window", "64"],
      ["generate", model.path, "--prompt", "And", "--raw"],
      ["logits", model.path, "--text", text, "--output", "\(model.path)/logits.safetensors"],
      ["calibrate", model.path, "--text", text],
    ] {
      let run = try ViseProcess(arguments)
      #expect(run.status == 1, "\(arguments[0]): \(run.errors)")
      #expect(run.errors.contains("is no number (NaN or infinity)"), "\(run.errors)")
      #expect(!run.output.contains("PPL"))
    }
    #expect(!FileManager.default.fileExists(atPath: "\(model.path)/logits.safetensors"))
  }

  /// What is looked at layer by layer says that a norm is damaged.
  @Test func previewsAndComparisonsMarkIt() throws {
    let whole = try TinyModel()
    try damage("model.norm.weight", element: 3)
    let preview = try ViseProcess(["preview", model.path, "--bits", "4", "--group", "32"])
    #expect(preview.status == 0)
    #expect(preview.errors.contains("model.norm.weight holds a NaN or an infinity at element 3"))
    let comparison = try ViseProcess(["compare", whole.path, model.path])
    #expect(comparison.status == 1)
    #expect(comparison.errors.contains("model.norm.weight holds a NaN or an infinity"))
  }

  @Test func inspectingMarksIt() throws {
    try damage("model.norm.weight", element: 3)
    try damage("model.layers.0.self_attn.v_proj.weight", element: 9, value: -.infinity)
    let quick = try ViseProcess(["inspect", model.path, "--json"])
    #expect(quick.status == 0)
    let found = try #require(try quick.object()["damaged"] as? [String])
    #expect(found.count == 1 && found[0].hasPrefix("model.norm.weight holds a NaN"))
    let whole = try ViseProcess(["inspect", model.path, "--check"])
    #expect(whole.status == 1)
    #expect(whole.output.contains("damaged: model.layers.0.self_attn.v_proj.weight holds"))
    #expect(whole.output.contains("damaged: model.norm.weight holds"))
  }
}

/// Where the tensors of a safetensors file begin.
private struct SafetensorsFileHeader {
  let offsets: [String: Int]

  init(_ path: String) throws {
    let entries = try SafetensorsHeader.read(try CheckpointFile.map(path), name: path, file: 0)
    offsets = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.offset) })
  }
}

extension UInt32 {
  fileprivate var littleEndianBytes: [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) }
  }
}
