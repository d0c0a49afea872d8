import FoundationEssentials
import Tensors
import Testing
import TestSupport

@testable import Checkpoints

/// Compressed models whose files were damaged or do not belong together.
struct DamagedCompressedTests {
  private func withCopy(of model: String, _ body: (String) throws -> Void) throws {
    try TestFiles.withDirectory { directory in
      let copy = "\(directory)/\(model)"
      try FileManager.default.copyItem(
        atPath: TestFiles.fixture("compressed/\(model)"), toPath: copy)
      try body(copy)
    }
  }

  private func readAll(_ path: String) throws {
    let checkpoint = try Checkpoint.open(path)
    for layer in checkpoint.description.layers {
      _ = try checkpoint.matrix(of: layer.name).decoded()
    }
    if let obstacle = checkpoint.description.abilities.runningObstacle {
      throw CheckpointError(file: path, reason: obstacle)
    }
  }

  /// Replaces a text in the copy's file by one of the same length or, in config.json, any other.
  private func refused(
    _ part: String, model: String = "integers", file: String = "config.json", _ old: String,
    _ new: String
  ) throws {
    try withCopy(of: model) { path in
      let place = "\(path)/\(file)"
      var bytes = try TestFiles.read(place)
      let found = try #require(bytes.firstRange(of: Array(old.utf8)), "\(old) is not in \(file)")
      bytes.replaceSubrange(found, with: Array(new.utf8))
      try TestFiles.write(bytes, to: place)
      let error = #expect(throws: CheckpointError.self) { try readAll(path) }
      #expect(error?.description.contains(part) == true, "\(String(describing: error))")
    }
  }

  @Test func configurationsThatDoNotFit() throws {
    try refused("is quantized by hqq", "\"compressed-tensors\"", "\"hqq\"")
    try refused("config_groups, group_0", "\"num_bits\": 2", "\"num_bits\": 9")
    try refused("where quantization_config makes it [64, 12]", "\"num_bits\": 2", "\"num_bits\": 6")
    try refused("where quantization_config makes it", "\"group_size\": 16", "\"group_size\": 32")
    try refused("do not divide", "\"group_size\": 16", "\"group_size\": 24")
    try refused("group_size is missing", "\"group_size\": 32", "\"group_size\": null")
    try refused("strategy is \"token\"", "\"strategy\": \"group\"", "\"strategy\": \"token\"")
    try refused("weight_g_idx", "\"actorder\": null", "\"actorder\": \"group\"")
    try refused("type is \"string\"", "\"type\": \"int\"", "\"type\": \"string\"")
    try refused("cannot be floats of 2 bits", "\"type\": \"int\"", "\"type\": \"float\"")
    try refused("says nothing of how", "\"ignore\": [", "\"ignore\": [\"re:.*q_proj\",")
    try refused("in the format \"other\"", "\"pack-quantized\"", "\"other\"")
    try refused("the sparse format marlin-24", "\"pack-quantized\"", "\"marlin-24\"")
  }

  @Test func tensorsThatDoNotFit() throws {
    func header(_ part: String, _ old: String, _ new: String) throws {
      try refused(part, file: "model.safetensors", old, new)
    }
    let query = "model.layers.0.self_attn.q_proj"
    try header(
      "\(query).weight_packed: is missing", "\(query).weight_packed", "\(query).weight_pocked")
    try header(
      "\(query).weight_scale: is missing", "\(query).weight_scale", "\(query).weight_skale")
    try header(
      "weight_zero_point: is missing", "0.self_attn.k_proj.weight_zero_point",
      "0.self_attn.k_proj.weight_zero_paint")
    try refused(
      "weight_global_scale: is missing", model: "floats", file: "model.safetensors",
      "weight_global_scale", "weight_global_skale")
    try header("weight_g_idx: sorts columns", "q_proj.weight_shape", "q_proj.weight_g_idx")
  }

  @Test(arguments: ["integers", "floats"])
  func overwrittenBytesAreErrorsOrWeights(model: String) throws {
    var random = SeededRandom(seed: 7)
    try withCopy(of: model) { path in
      for file in ["config.json", "model.safetensors"] {
        let place = "\(path)/\(file)"
        let bytes = try TestFiles.read(place)
        let end = min(bytes.count, 7000)
        var failures = 0
        for _ in 0..<100 {
          var damaged = bytes
          for _ in 0..<Int.random(in: 1...3, using: &random) {
            damaged[Int.random(in: 0..<end, using: &random)] = .random(in: 0...255, using: &random)
          }
          try TestFiles.write(damaged, to: place)
          do { try readAll(path) } catch { failures += 1 }
        }
        try TestFiles.write(bytes, to: place)
        #expect(failures > 25, "\(file)")
      }
    }
  }
}
