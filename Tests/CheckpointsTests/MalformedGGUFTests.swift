import Tensors
import Testing

@testable import Checkpoints

/// GGUF files that lie: each must be one clear error.
///
/// The classes are those of llama.cpp's own tests of its reader, and of its published advisories.
struct MalformedGGUFTests {
  /// The error that opening the file gives, as the user reads it, or why the model does not run; nil if it does.
  private func message(_ bytes: [UInt8]) throws -> String? {
    try TestFiles.withDirectory { directory in
      let path = "\(directory)/model.gguf"
      try TestFiles.write(bytes, to: path)
      do {
        return try Checkpoint.open(path).description.abilities.runningObstacle
      } catch let error as CheckpointError {
        #expect(error.file == path)
        return error.description
      }
    }
  }

  private func message(_ change: (inout GGUFBuilder) -> Void) throws -> String? {
    var builder = GGUFBuilder.llama()
    change(&builder)
    return try message(builder.bytes)
  }

  private func expect(
    _ part: String, _ location: SourceLocation = #_sourceLocation,
    _ change: (inout GGUFBuilder) -> Void
  ) throws {
    let text = try message(change)
    #expect(text?.contains(part) == true, "\(text ?? "opened")", sourceLocation: location)
  }

  @Test func theModelThatTheOthersAreMadeFromOpens() throws {
    #expect(try message { _ in } == nil)
    #expect(try message { $0.set("unknown.key", .strings(["a", "b"])) } == nil)
    #expect(try message { $0.version = 2 } == nil)
    #expect(try message { $0.add("rope_freqs.unused.rotary_emb.inv_freq", [4]) } == nil)
  }

  @Test func headers() throws {
    try expect("neither a GGUF file") { $0.magic = Array("GGUX".utf8) }
    try expect("GGUF version 0") { $0.version = 0 }
    try expect("GGUF version 1, and versions 2 and 3 are read") { $0.version = 1 }
    try expect("GGUF version 4") { $0.version = 4 }
    try expect("big-endian") { $0.version = UInt32(3).byteSwapped }
    try expect("tensors, more than the file can hold") { $0.tensorCount = .max }
    try expect("metadata values, more than the file can hold") { $0.metadataCount = .max }
    try expect("more than the file can hold") { $0.tensorCount = 1 << 20 }
  }

  @Test func metadata() throws {
    try expect("occurs twice") { $0.metadata.append(("llama.block_count", .uint32(1))) }
    try expect("unknown type 13") { $0.set("a", .raw(13, [])) }
    try expect("unknown type 4294967295") { $0.set("a", .raw(.max, [])) }
    try expect("a metadata key is 0 bytes") { $0.metadata.append(("", .bool(true))) }
    try expect("more than the file can hold") { $0.set("a", .raw(8, little(UInt64.max))) }
    try expect("more than the file can hold") {
      $0.set("a", .raw(9, little(UInt32(8)) + little(UInt64.max)))
    }
    try expect("more than the file can hold") {
      $0.set("a", .raw(9, little(UInt32(4)) + little(UInt64.max / 4 + 2)))
    }
    let nested = Array(repeating: little(UInt32(9)) + little(UInt64(1)), count: 50).flatMap(\.self)
    try expect("nested deeper") { $0.set("a", .raw(9, nested)) }
    try expect("alignment is not a power of two") { $0.set("general.alignment", .uint32(13)) }
    try expect("alignment is not a power of two") { $0.set("general.alignment", .uint32(0)) }
    try expect("alignment is no number of 32 bits") { $0.set("general.alignment", .int32(32)) }
    try expect("alignment is no number of 32 bits") { $0.set("general.alignment", .uint64(32)) }
    try expect("alignment is no number of 32 bits") { $0.set("general.alignment", .string("32")) }
    try expect("reaches beyond the end") { $0.set("general.alignment", .uint32(1 << 30)) }
  }

  @Test func tensorFields() throws {
    let long = String(repeating: "n", count: 64)
    try expect("a tensor's name is 64 bytes long, not 1 to 63") { $0.add(long, [4]) }
    try expect("has 5 dimensions") { $0.tensors[0].dimensionCount = 5 }
    try expect("has 0 dimensions") { $0.tensors[0].dimensionCount = 0 }
    try expect("has a dimension of 18446744073709551615") { $0.tensors[0].dimensions = [.max, 1] }
    try expect("overflows") { $0.tensors[0].dimensions = [1 << 40, 1 << 40] }
    try expect("overflows") { $0.tensors[0].dimensions = [4, 1 << 60] }
    try expect("overflows") { $0.tensors[0].dimensions = [4, (1 << 30) - 1, (1 << 30) + 1] }
    try expect("has the shape [3, 0]") {
      $0.tensors[0].dimensions = [0, 3]
      $0.placeTensors()
    }
    try expect("type #4 is not read") { $0.tensors[0].type = 4 }
    try expect("type #9999 is not read") { $0.tensors[0].type = 9999 }
    for dimensions in [[1 << 40, 1 << 40], [1 << 62, 8]] as [[UInt64]] {
      try expect("of #9999 is more than 64 bytes can hold") {
        $0.tensors[0].type = 9999
        $0.tensors[0].dimensions = dimensions
      }
    }
    try expect("rows are no whole blocks") { $0.tensors[0].type = 8 }
    try expect("type I32 is not read") { $0.tensors[0].type = 26 }
    try expect("type F64 is not read") {
      $0.tensors[0].type = 28
      $0.placeTensors()
    }
    try expect("is described twice") { $0.tensors[2].name = $0.tensors[1].name }
  }

  @Test func offsets() throws {
    try expect("not at 0, though it is the first") {
      $0.tensors[0].offset = UInt64.max - 31
    }
    try expect("no multiple of the alignment 32") { $0.tensors[0].offset = .max }
    try expect("no multiple of the alignment 32") { $0.tensors[1].offset += 4 }
    let embedding = "not at 64, where the 48 bytes of F32 of token_embd.weight end"
    try expect("starts at 32, \(embedding)") { $0.tensors[1].offset = 32 }
    try expect("starts at 96, \(embedding)") { $0.tensors[1].offset = 96 }
    // The same bytes under the name of a smaller type.
    try expect("not at 32, where the 24 bytes of F16 of token_embd.weight end") {
      $0.tensors[0].type = 1
    }
    // Laid out without padding while 32 is declared.
    try expect("no multiple of the alignment 32") { builder in
      var offset: UInt64 = 0
      for index in builder.tensors.indices {
        builder.tensors[index].offset = offset
        offset += 4 * builder.tensors[index].dimensions.reduce(1, *)
      }
    }
    // Sizes that wrap around when they are padded, and two whose sum does.
    try expect("reaches beyond the end") { $0.tensors[0].dimensions = [(1 << 61) - 1] }
    try expect("reaches beyond the end") {
      $0.tensors[0].dimensions = [(1 << 61) - 16]
      $0.tensors[1].dimensions = [(1 << 61) - 16]
      $0.tensors[1].offset = (1 << 63) - 64
    }
    try expect("reaches beyond the end") { $0.data.removeLast() }
    try expect("reaches beyond the end") { $0.data = [] }
  }

  /// Tensors whose size nobody knows end where the next begins, or the file.
  @Test func unknownTypesAreListedWithTheRest() throws {
    var builder = GGUFBuilder.llama()
    for index in [1, 4, 10] { builder.tensors[index].type = 4_000 + UInt32(index) }
    let header = try GGUFHeader(ByteStorage(copying: builder.bytes), file: "model.gguf")
    let plain = try GGUFHeader(ByteStorage(copying: GGUFBuilder.llama().bytes), file: "model.gguf")
    #expect(header.entries.map(\.offset) == plain.entries.map(\.offset))
    for (index, (entry, like)) in zip(header.entries, plain.entries).enumerated() {
      let isUnknown = [1, 4, 10].contains(index)
      #expect(entry.type == (isUnknown ? nil : .float32))
      #expect(entry.typeName == (isUnknown ? "#\(4_000 + index)" : "F32"))
      #expect((like.byteCount..<like.byteCount + 32).contains(entry.byteCount))
    }
    try expect("starts before the tensor that it follows") {
      $0.tensors[1].type = 4
      $0.tensors[2].offset = 0
    }
    try expect("reaches beyond the end") {
      $0.tensors[1].type = 4
      $0.tensors[2].offset = 1 << 40
    }
  }

  @Test func shapesAgainstTheSettings() throws {
    try expect("tensor blk.0.ffn_up.weight: is missing") {
      $0.tensors.remove(at: 9)
      $0.placeTensors()
    }
    try expect("tensor blk.1.attn_norm.weight: is missing") {
      $0.set("llama.block_count", .uint32(2))
    }
    try expect("blk.0.attn_k.weight: has the shape [2, 4], where its metadata makes it [4, 4]") {
      $0.set("llama.attention.head_count_kv", .uint32(2))
    }
    try expect("2 attention heads cannot share 3") {
      $0.set("llama.attention.head_count_kv", .uint32(3))
    }
    try expect("the head size 1 is odd") { $0.set("llama.attention.key_length", .uint32(1)) }
    try expect("not a whole number from 1") { $0.set("llama.embedding_length", .uint32(0)) }
    try expect("not a whole number from 1") { $0.set("llama.embedding_length", .int32(-4)) }
    try expect("not a whole number from 1") { $0.set("llama.embedding_length", .uint64(.max)) }
    try expect("not a whole number from 1") { $0.set("llama.block_count", .uint32(.max)) }
    try expect("llama.embedding_length is missing") { $0.set("llama.embedding_length", nil) }
    try expect("epsilon is nan, not above zero") {
      $0.set("llama.attention.layer_norm_rms_epsilon", .float32(.nan))
    }
    try expect("is no part of the architecture llama") { $0.add("blk.0.attn_q_norm.weight", [4]) }
    try expect("attn_q.bias: has the shape [3]") { $0.add("blk.0.attn_q.bias", [3]) }
  }

  @Test func whatIsNotSupportedIsNamed() throws {
    try expect("the architecture \"rwkv7\" does not run") {
      $0.set("general.architecture", .string("rwkv7"))
    }
    try expect("does not say which architecture it has") { $0.set("general.architecture", nil) }
    try expect("is 7, not a string") { $0.set("general.architecture", .uint32(7)) }
    try expect("RoPE scaling of type \"ntk\"") {
      $0.set("llama.rope.scaling.type", .string("ntk"))
    }
    try expect("rope_freqs.weight: is [3] of F32, not [1] of F32") {
      $0.add("rope_freqs.weight", [3])
    }
  }

  @Test func errorsNeverCarryControlCharacters() throws {
    let text = try #require(
      try message { $0.set("general.architecture", .string("\u{1b}[2J\u{202e}x\u{7}")) })
    #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202e })
    #expect(text.contains("\\u{1b}[2J"))
  }
}
