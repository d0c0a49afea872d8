import Tensors
import Testing

@testable import Checkpoints
import JSON

/// How positions turn, as config.json says it in its several ways, and what is refused.
struct RopeReaderTests {
  private func ropes(
    _ json: String, _ architecture: Architecture = .llama
  ) throws -> [RopeFacts] {
    let root = try #require(try JSONReader.read(Array("{\(json)}".utf8)).object)
    let settings = ModelSettings(
      config: JSONFile(file: "config.json", root: root), standards: architecture.standards)
    let table = TensorTable(name: "model", files: [], storages: [], entries: [])
    return try RopeReader(settings, architecture: architecture, tensors: table).ropes(headSize: 8)
  }

  @Test func oldAndNewWordsMeanTheSame() throws {
    let rule =
      "\"factor\": 4, \"low_freq_factor\": 1, \"high_freq_factor\": 4, "
      + "\"original_max_position_embeddings\": 32"
    let old = try ropes(
      "\"rope_theta\": 500, \"rope_scaling\": {\"type\": \"llama3\", \(rule)}")
    let new = try ropes(
      "\"rope_parameters\": {\"rope_type\": \"llama3\", \"rope_theta\": 500, \(rule)}")
    #expect(old == new && old.count == 1)
    #expect(old[0].theta == 500 && old[0].divisors.count == 4)
    #expect(old[0].divisors.first == 1 && old[0].divisors.last == 4)
    for plain in [
      "", "\"rope_scaling\": null", "\"rope_scaling\": {\"rope_type\": \"default\"}",
      "\"rope_parameters\": {}",
    ] {
      let rope = try ropes(plain)
      #expect(rope == [RopeFacts(pairing: .halves, theta: 10_000, rotatedSize: 8)], "\(plain)")
    }
  }

  @Test func blocksWithAWindowTurnByTheirOwn() throws {
    let sections =
      "\"sliding_attention\": {\"rope_type\": \"default\", \"rope_theta\": 100}, "
      + "\"full_attention\": {\"rope_type\": \"linear\", \"factor\": 2, \"rope_theta\": 900}"
    let new = try ropes("\"rope_parameters\": {\(sections)}", .gemma3)
    let old = try ropes(
      "\"rope_theta\": 900, \"rope_local_base_freq\": 100, "
        + "\"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 2}", .gemma3)
    #expect(new == old && new.count == 2)
    #expect(new[0].divisors == [2, 2, 2, 2] && new[1].divisors.isEmpty && new[1].theta == 100)
  }

  /// YaRN's amplitude is 0.1 ln(factor) + 1, unless it or its two weights are given.
  @Test(arguments: [
    ("", 1.138_629), ("\"attention_factor\": 1.5", 1.5),
    ("\"mscale\": 2, \"mscale_all_dim\": 1", 1.277_259 / 1.138_629),
  ])
  func yarnsAmplitude(json: String, expected: Double) throws {
    let rope = try ropes(
      "\"rope_parameters\": {\"rope_type\": \"yarn\", \"factor\": 4, "
        + "\"original_max_position_embeddings\": 32\(json.isEmpty ? "" : ", ")\(json)}")[0]
    #expect(abs(rope.amplitude - expected) < 1e-5)
    #expect(rope.divisors.last == 4)
  }

  @Test func whatMakesNoSenseIsRefusedWithItsReason() throws {
    func expect(
      _ part: String, _ json: String, _ location: SourceLocation = #_sourceLocation
    ) {
      do {
        _ = try ropes(json)
        Issue.record("read", sourceLocation: location)
      } catch {
        #expect("\(error)".contains(part), "\(error)", sourceLocation: location)
      }
    }
    func expectScaling(
      _ part: String, _ json: String, _ location: SourceLocation = #_sourceLocation
    ) {
      expect(part, "\"max_position_embeddings\": 64, \"rope_scaling\": {\(json)}", location)
    }
    expect("rope_theta is \"high\", not a number", "\"rope_theta\": \"high\"")
    expect("rope_theta is -1.0, not above zero", "\"rope_theta\": -1")
    expect("turns 0 values of heads of 8", "\"partial_rotary_factor\": 0.01")
    expect("turns 3 values of heads of 8", "\"partial_rotary_factor\": 0.4")
    expect("partial_rotary_factor is 1e+300, more than 1", "\"partial_rotary_factor\": 1e300")
    expect("rope_scaling", "\"rope_scaling\": 3")
    expectScaling(
      "has RoPE scaling of type \"dynamic\", which is not supported; linear, llama3, yarn",
      "\"type\": \"dynamic\", \"factor\": 2")
    expectScaling("rope_type is 3, not a string", "\"rope_type\": 3")
    expectScaling("factor is missing", "\"rope_type\": \"linear\"")
    expectScaling("factor is true, not a number", "\"rope_type\": \"linear\", \"factor\": true")
    expectScaling("factor is -2.0, not above zero", "\"rope_type\": \"linear\", \"factor\": -2")
    expectScaling(
      "low_freq_factor is not below",
      "\"rope_type\": \"llama3\", \"factor\": 2, \"low_freq_factor\": 4, \"high_freq_factor\": 4, "
        + "\"original_max_position_embeddings\": 32")
    expectScaling(
      "original_max_position_embeddings is 4611686018427387904, not a whole number",
      "\"rope_type\": \"yarn\", \"factor\": 2, "
        + "\"original_max_position_embeddings\": 4611686018427387904")
    // The logarithm of what is one divides by zero.
    expectScaling(
      "frequencies that are no numbers",
      "\"rope_type\": \"longrope\", \"original_max_position_embeddings\": 1, "
        + "\"short_factor\": [1, 1, 1, 1], \"long_factor\": [1, 1, 1, 1]")
    expectScaling(
      "original_max_position_embeddings is missing", "\"rope_type\": \"yarn\", \"factor\": 2")
    expectScaling(
      "truncate is 1, not true or false",
      "\"rope_type\": \"yarn\", \"factor\": 2, \"original_max_position_embeddings\": 32, "
        + "\"truncate\": 1")
    for factors in ["[1, 1, 1]", "[1, 1, 1, 0]", "[1, 1, 1, \"1\"]", "4"] {
      expectScaling(
        "short_factor is no list of 4 positive numbers",
        "\"rope_type\": \"longrope\", \"original_max_position_embeddings\": 32, "
          + "\"short_factor\": \(factors), \"long_factor\": [1, 1, 1, 1]")
    }
  }
}
