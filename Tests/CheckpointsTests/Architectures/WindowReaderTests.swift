import Tensors
import Testing

@testable import Checkpoints
import JSON

/// Which blocks see a window, as config.json says it in its several ways.
struct WindowReaderTests {
  private func windows(
    _ json: String, _ architecture: Architecture, blocks: Int = 6
  ) throws -> [Int?] {
    let root = try #require(try JSONReader.read(Array("{\(json)}".utf8)).object)
    let settings = ModelSettings(
      config: JSONFile(file: "config.json", root: root), standards: [:])
    let reader = try WindowReader(settings, architecture: architecture)
    return try (0..<blocks).map { try reader.window(ofBlock: $0, of: blocks) }
  }

  @Test func architecturesHaveRules() throws {
    let size = "\"sliding_window\": 7"
    #expect(try windows(size, .llama) == [nil, nil, nil, nil, nil, nil])
    #expect(try windows(size, .mistral) == [7, 7, 7, 7, 7, 7])
    #expect(try windows("\"sliding_window\": null", .mistral) == [nil, nil, nil, nil, nil, nil])
    #expect(try windows(size, .gemma2) == [7, nil, 7, nil, 7, nil])
    #expect(try windows(size, .gemma3) == [7, 7, 7, 7, 7, nil])
    #expect(
      try windows("\(size), \"sliding_window_pattern\": 3", .gemma3) == [7, 7, nil, 7, 7, nil])
  }

  @Test func qwensWindowIsSwitchedOnFromABlockOn() throws {
    let size = "\"sliding_window\": 7"
    #expect(try windows(size, .qwen2) == [nil, nil, nil, nil, nil, nil])
    let on = "\(size), \"use_sliding_window\": true"
    #expect(try windows("\(on), \"max_window_layers\": 4", .qwen2) == [nil, nil, nil, nil, 7, 7])
    #expect(try windows("\(on), \"max_window_layers\": 0", .qwen2) == [7, 7, 7, 7, 7, 7])
    #expect(try windows(on, .qwen2) == [nil, nil, nil, nil, nil, nil])
    #expect(try windows(on, .qwen3Moe) == [7, 7, 7, 7, 7, 7])
    #expect(
      try windows("\(on), \"max_window_layers\": 3", .qwen2Moe) == [7, nil, 7, nil, nil, nil])
  }

  /// llama.cpp has Gemma 2's window where a file says nothing, and no window in architectures where it reads none.
  @Test func windowsOfGGUFAreLlamaCpps() throws {
    func windows(_ name: String, _ architecture: Architecture, _ size: UInt32?) throws -> [Int?] {
      var builder = GGUFBuilder()
      builder.metadata = [("general.architecture", .string(name))]
      if let size { builder.metadata.append(("\(name).attention.sliding_window", .uint32(size))) }
      let header = try GGUFHeader(ByteStorage(copying: builder.bytes), file: "model.gguf")
      let settings = ModelSettings(
        gguf: header, name: name, standards: architecture.ggufStandards)
      let reader = try WindowReader(settings, architecture: architecture)
      return try (0..<3).map { try reader.window(ofBlock: $0, of: 3) }
    }
    #expect(try windows("gemma2", .gemma2, nil) == [4096, nil, 4096])
    #expect(try windows("gemma2", .gemma2, 7) == [7, nil, 7])
    #expect(try windows("gemma3", .gemma3, nil) == [nil, nil, nil])
    #expect(try windows("qwen2", .qwen2, 7) == [nil, nil, nil])
    #expect(try windows("llama", .mistral, 7) == [nil, nil, nil])
  }

  @Test func typesOfBlocksCountMore() throws {
    let types = "\"sliding_window\": 7, \"layer_types\": "
    let list = "[\"full_attention\", \"sliding_attention\"]"
    #expect(try windows(types + list, .mistral, blocks: 2) == [nil, 7])
  }

  @Test func whatMakesNoSenseIsRefusedWithItsReason() throws {
    func expect(
      _ part: String, _ json: String, _ location: SourceLocation = #_sourceLocation
    ) {
      do {
        _ = try windows(json, .mistral)
        Issue.record("read", sourceLocation: location)
      } catch {
        #expect("\(error)".contains(part), "\(error)", sourceLocation: location)
      }
    }
    expect("sliding_window is -7, not a whole number", "\"sliding_window\": -7")
    expect("sliding_window is \"7\", not a whole number", "\"sliding_window\": \"7\"")
    expect(
      "sliding_window is 4611686018427387904, not a whole",
      "\"sliding_window\": 4611686018427387904")
    let size = "\"sliding_window\": 7, \"layer_types\""
    expect("layer_types is not a list", "\(size): 7")
    expect("layer_types has 1 entries for 6 blocks", "\(size): [\"full_attention\"]")
    let others = Array(repeating: "\"chunked_attention\"", count: 6).joined(separator: ", ")
    expect("layer_types has \"chunked_attention\", which is not", "\(size): [\(others)]")
    let numbers = Array(repeating: "3", count: 6).joined(separator: ", ")
    expect("layer_types has 3, which is not supported", "\(size): [\(numbers)]")
  }
}
