import Allocation
import Checkpoints
import Compression
import Foundation
import Testing

@Suite struct SensitivityFileTests {
  let sample = SensitivitySample()

  /// Calls `body` with a path in a directory that is removed afterwards.
  func inDirectory(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.appending(path: "model.sensitivity").path)
  }

  @Test func readsWhatItWrote() throws {
    var sensitivity = sample.sensitivity
    sensitivity.layers[0].record(
      SchemeTrial(
        scheme: Scheme(
          quantization: QuantizationScheme(block: .q4_K, range: .weighted, method: .gptq),
          sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4), method: .wanda)),
        bytes: 77, divergence: 0.25, standardError: 0))
    for (layers, divergence) in [(1, 0.3), (sensitivity.layers.count, 0.9)] {
      let isKept = sensitivity.record(
        MeasuredPlan(
          schemes: Dictionary(
            uniqueKeysWithValues: sensitivity.layers.prefix(layers).map {
              ($0.layer, SensitivitySample.schemes[0])
            }), divergence: divergence, standardError: 0.01, text: "other.txt", tokens: 512))
      #expect(isKept)
    }
    #expect(sensitivity.predictor.plans == 1)
    try inDirectory { path in
      try sensitivity.write(to: path)
      #expect(try Sensitivity(path: path) == sensitivity)
      // And over an older file.
      try sample.sensitivity.write(to: path)
      #expect(try Sensitivity(path: path) == sample.sensitivity)
      let folder = (path as NSString).deletingLastPathComponent
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
    }
  }

  @Test func aFileOfAnotherKindIsRefused() throws {
    try inDirectory { path in
      try SafetensorsFile(metadata: [:], vectors: []).write(to: path)
      let error = #expect(throws: SensitivityError.self) { try Sensitivity(path: path) }
      #expect(error?.description.contains("holds no sensitivity") == true)
      try SafetensorsFile(
        metadata: ["format": "vise-sensitivity", "version": "7"], vectors: []
      ).write(to: path)
      let newer = #expect(throws: SensitivityError.self) { try Sensitivity(path: path) }
      #expect(newer?.description.contains("version 7") == true)
    }
  }

  /// Every figure that could make a solver go astray is checked.
  @Test(arguments: [
    ("\"divergence\":", "\"divergence\":-"), ("\"scheme\":0", "\"scheme\":900"),
    ("\"energy\":12.5", "\"energy\":-1"), ("\"tokens\":256", "\"tokens\":0"),
    ("\"lookupShare\":0", "\"lookupShare\":2"), ("\"layers\":[{", "\"layers\":[{},{"),
    ("\"layers\":[0]", "\"layers\":[]"), ("\"layers\":[0]", "\"layers\":[700]"),
    ("\"schemes\":[1]", "\"schemes\":[1,1]"), ("\"schemes\":[1]", "\"schemes\":[-1]"),
    ("\"divergence\":0.5,\"layers\"", "\"divergence\":-0.5,\"layers\""),
    ("\"tokens\":900", "\"tokens\":0"),
    ("k_proj", "q_proj"), ("\"quantization\":", "\"quantisation\":"),
  ])
  func damageIsFound(from: String, to: String) throws {
    var sensitivity = sample.sensitivity
    sensitivity.record(
      MeasuredPlan(
        schemes: [sensitivity.layers[0].layer: SensitivitySample.schemes[1]], divergence: 0.5,
        standardError: 0.25, text: "other.txt", tokens: 900))
    try inDirectory { path in
      try sensitivity.write(to: path)
      var file = try SafetensorsFile(path: path)
      let contents = try #require(file.metadata["contents"])
      let damaged = contents.replacingOccurrences(of: from, with: to)
      #expect(damaged != contents)
      file.metadata["contents"] = damaged
      try file.write(to: path)
      #expect(throws: SensitivityError.self) { try Sensitivity(path: path) }
    }
  }

  @Test func missingVectorsAreFound() throws {
    try inDirectory { path in
      try sample.sensitivity.write(to: path)
      var file = try SafetensorsFile(path: path)
      file.vectors.removeLast()
      try file.write(to: path)
      #expect(throws: SensitivityError.self) { try Sensitivity(path: path) }
      #expect(throws: SensitivityError.self) { try Sensitivity(path: path + ".none") }
    }
  }

  @Test func itBelongsToOneModel() throws {
    var sensitivity = sample.sensitivity
    #expect(throws: Never.self) { try sensitivity.check(fits: sample.model) }
    sensitivity.origin.fingerprint = "another"
    let error = #expect(throws: SensitivityError.self) {
      try sensitivity.makeAllocator(for: sample.model, rules: AllocationRules())
    }
    #expect(error?.description.contains("measure it again") == true)
  }
}
