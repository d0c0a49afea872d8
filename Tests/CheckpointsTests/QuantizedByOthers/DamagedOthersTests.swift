import FoundationEssentials
import Tensors
import TestSupport
import Testing

@testable import Checkpoints

/// Layers that other programs quantized, in files that were damaged or do not belong together.
struct DamagedOthersTests {
  private func withCopy(of model: String, _ body: (String) throws -> Void) throws {
    try TestFiles.withDirectory { directory in
      let copy = "\(directory)/\(model)"
      try FileManager.default.copyItem(
        atPath: TestFiles.fixture("others/\(model)"), toPath: copy)
      try body(copy)
    }
  }

  private func readAll(_ path: String) throws {
    let opened = try OthersModel(path: path)
    for name in opened.quantization.layerNames(in: opened.table) {
      guard let layer = try opened.layer(name) else { continue }
      _ = (layer.scheme, layer.heldFormat)
      _ = try layer.weights().decoded()
    }
  }

  /// Replaces a text in the copy's file by one of the same length or, in config.json, any other.
  private func refused(
    _ part: String, _ model: String, _ old: String, _ new: String,
    file: String = "model.safetensors", _ location: SourceLocation = #_sourceLocation
  ) throws {
    try withCopy(of: model) { path in
      let place = "\(path)/\(file)"
      var bytes = try TestFiles.read(place)
      let found = try #require(bytes.firstRange(of: Array(old.utf8)), "\(old) is not in \(file)")
      bytes.replaceSubrange(found, with: Array(new.utf8))
      try TestFiles.write(bytes, to: place)
      let error = #expect(throws: CheckpointError.self, sourceLocation: location) {
        try readAll(path)
      }
      #expect(
        error?.description.contains(part) == true, "\(String(describing: error))",
        sourceLocation: location)
    }
  }

  @Test func missingTensorsAreNamed() throws {
    let layer = "model.layers.0.self_attn.q_proj"
    try refused("\(layer).qzeros: is missing", "gptq", "\(layer).qzeros", "\(layer).qzeris")
    try refused("\(layer).scales: is missing", "awq", "\(layer).scales", "\(layer).skales")
    try refused(
      "\(layer).weight_scale_inv: is missing", "fp8-blocks", "\(layer).weight_scale_inv",
      "\(layer).weight_scale_ivn")
    try refused(
      "experts.down_proj_scales: is missing", "mxfp4", "down_proj_scales", "down_proj_skales")
    try refused(
      "quant_state.bitsandbytes__fp4: is missing", "bitsandbytes-4bit",
      "q_proj.weight.quant_state.bitsandbytes__nf4", "q_proj.weight.quant_state.bitsandbytes__nf3")
    try refused("\(layer).biases: is missing", "mlx", "\(layer).biases", "\(layer).biasas")
  }

  @Test func shapesThatDoNotFitAreNamed() throws {
    try refused(
      "which are not codes of 6 bits", "mlx", "\"bits\": 2", "\"bits\": 6", file: "config.json")
    try refused(
      "groups of 48 do not divide", "awq", "\"group_size\": 32", "\"group_size\": 48",
      file: "config.json")
    try refused(
      "is [2, 96], where the layer's other tensors make it [1, 96]", "awq", "\"group_size\": 32",
      "\"group_size\": 64", file: "config.json")
    try refused(
      "has no shape of two sizes", "bitsandbytes-4bit", "\"shape\": [64, 96]",
      "\"shape\": [64, -6]")
    try refused(
      "does not hold two of its", "bitsandbytes-4bit", "\"shape\": [64, 96]",
      "\"shape\": [64, 98]")
  }

  @Test(arguments: OthersLayerTests.models)
  func overwrittenBytesAreErrorsOrWeights(model: String) throws {
    var random = SeededRandom(seed: 11)
    try withCopy(of: model) { path in
      for file in ["config.json", "model.safetensors"] {
        let place = "\(path)/\(file)"
        let bytes = try TestFiles.read(place)
        let end = min(bytes.count, 2500)
        var failures = 0
        for _ in 0..<40 {
          var damaged = bytes
          for _ in 0..<Int.random(in: 1...3, using: &random) {
            damaged[Int.random(in: 0..<end, using: &random)] = .random(in: 0...255, using: &random)
          }
          try TestFiles.write(damaged, to: place)
          do { try readAll(path) } catch { failures += 1 }
        }
        try TestFiles.write(bytes, to: place)
        #expect(failures > 5, "\(file)")
      }
    }
  }
}
