import Checkpoints
import Testing

/// Files of llama-imatrix, as it writes them and damaged.
struct ImportanceMatrixTests {
  private static let recorded = TestFiles.fixture("tiny-imatrix.gguf")

  @Test func whatLlamaCppWroteIsReadAndWrittenByteForByte() throws {
    let matrix = try ImportanceMatrix(path: Self.recorded)
    #expect(matrix.entries.count == 14)
    #expect(matrix.entries["blk.1.ffn_down.weight"]?.sums.count == 64)
    #expect(matrix.entries.values.allSatisfy { $0.tokens == 256 })
    #expect(matrix.datasets == ["text.txt"])
    #expect(matrix.chunkCount == 4 && matrix.chunkSize == 64)
    try TestFiles.withDirectory { directory in
      let path = "\(directory)/imatrix.gguf"
      try TestFiles.write([1, 2, 3], to: path)
      try matrix.write(to: path)
      #expect(try TestFiles.read(path) == TestFiles.read(Self.recorded))
    }
  }

  /// Of a mixture of 8 experts, of which one read nothing.
  @Test func expertsAreReadAndWrittenByteForByte() throws {
    let recorded = TestFiles.fixture("experts-imatrix.gguf")
    let matrix = try ImportanceMatrix(path: recorded)
    let entry = try #require(matrix.entries["blk.0.ffn_down_exps.weight"])
    // What gguf.GGUFReader of the Python package gguf reads.
    #expect(entry.counts == [6, 0, 23, 14, 10, 8, 23, 44] && entry.tokens == 128)
    #expect(entry.sums.count == 8 * 64 && entry.sums[..<2] == [0.058673725, 0.12927145])
    #expect(entry.sums(ofExpert: 1).allSatisfy { $0 == 0 })
    #expect(matrix.bytes == (try TestFiles.read(recorded)))
  }

  @Test func aFolderThatIsNotThereIsAnError() throws {
    let matrix = try ImportanceMatrix(path: Self.recorded)
    let error = #expect(throws: CheckpointError.self) {
      try matrix.write(to: "/nowhere/imatrix.gguf")
    }
    #expect(error?.description.hasPrefix("/nowhere/imatrix.gguf: ") == true)
  }

  @Test func namesAreThoseOfTheModelsTensors() throws {
    let model = try Checkpoint.open(TestFiles.fixture("tiny.gguf")).description
    let names = model.layers.filter { $0.block != nil }.map(\.ggufName)
    #expect(try Set(names) == Set(ImportanceMatrix(path: Self.recorded).entries.keys))
    #expect(
      Set(model.layers.map(\.ggufName)).subtracting(names).isSubset(
        of: ["token_embd.weight", "output.weight"]))
  }

  /// An imatrix of one tensor, changed.
  private func message(_ change: (inout GGUFBuilder) -> Void) throws -> String? {
    var builder = GGUFBuilder()
    builder.metadata = [
      ("general.type", .string("imatrix")), ("imatrix.datasets", .strings(["a.txt"])),
      ("imatrix.chunk_count", .uint32(1)), ("imatrix.chunk_size", .uint32(512)),
    ]
    builder.add("blk.0.attn_q.weight.in_sum2", [4])
    builder.add("blk.0.attn_q.weight.counts", [1])
    builder.data.replaceSubrange(32..<36, with: little(Float(512).bitPattern))
    change(&builder)
    return try message(builder.bytes)
  }

  private func message(_ bytes: [UInt8]) throws -> String? {
    try TestFiles.withDirectory { directory in
      let path = "\(directory)/imatrix.gguf"
      try TestFiles.write(bytes, to: path)
      do {
        _ = try ImportanceMatrix(path: path)
        return nil
      } catch let error as CheckpointError {
        #expect(error.file == path)
        return error.description
      }
    }
  }

  private func expect(
    _ part: String, _ location: SourceLocation = #_sourceLocation,
    _ change: (inout GGUFBuilder) -> Void
  ) throws {
    let text = try message(change)
    #expect(text?.contains(part) == true, "\(text ?? "opened")", sourceLocation: location)
  }

  @Test func damagedFilesAreErrors() throws {
    #expect(try message { _ in } == nil)
    try expect("not an imatrix") { $0.set("general.type", .string("model")) }
    try expect("not an imatrix") { $0.set("general.type", nil) }
    try expect("imatrix.datasets is missing") { $0.set("imatrix.datasets", nil) }
    try expect("imatrix.datasets is missing") { $0.set("imatrix.datasets", .string("a.txt")) }
    try expect("imatrix.chunk_count is missing") { $0.set("imatrix.chunk_count", nil) }
    try expect("holds no tensor") { $0.tensors = [] }
    try expect("blk.0.attn_q.weight: has sums without counts") { $0.tensors.removeLast() }
    try expect("blk.0.attn_q.weight: has counts without sums") {
      $0.tensors.removeFirst()
      $0.placeTensors()
    }
    try expect("is neither a sum nor a count") { $0.add("blk.0.attn_q.weight", [4]) }
    try expect("has the type F16, not F32") { $0.tensors[0].type = 1 }
    try expect("is empty") {
      $0.tensors[0].dimensions = [0]
      $0.placeTensors()
    }
    try expect("has 4 sums for 3 experts") {
      $0.tensors[1].dimensions = [1, 3]
      $0.data += Array(repeating: 0, count: 8)
    }
    try expect("was made from 512.0, 0.0, -1.0, 0.0 tokens") {
      $0.tensors[1].dimensions = [1, 4]
      $0.data += little(Float(0).bitPattern) + little(Float(-1).bitPattern)
      $0.data += little(Float(0).bitPattern)
    }
    for count: Float in [0, -1, 0.5, .nan, .infinity] {
      try expect("was made from \(count) tokens") {
        $0.data.replaceSubrange(32..<36, with: little(count.bitPattern))
      }
    }
    for sum: Float in [-1, .nan, .infinity] {
      try expect("negative or not finite") {
        $0.data.replaceSubrange(4..<8, with: little(sum.bitPattern))
      }
    }
    try expect("reaches beyond the end") { $0.data.removeLast() }
    #expect(try message([1, 2, 3])?.contains("is not a GGUF file") == true)
  }

  @Test func everyTruncationIsAnError() throws {
    let bytes = try TestFiles.read(Self.recorded)
    for length in stride(from: 0, to: bytes.count - 28, by: 37) {
      #expect(try message(Array(bytes[..<length])) != nil)
    }
  }
}
