import Tensors
import TestSupport
import Testing

@testable import Checkpoints

/// Models in several GGUF files: any part opens them all, and parts that do not belong together are one clear error.
struct SplitGGUFTests {
  @Test(arguments: 0..<12)
  func anyPartOpensTheWholeModel(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    var whole = Self.model(&random)
    whole.version = .random(in: 2...3, using: &random)
    let count = Int.random(in: 2...5, using: &random)
    var places = Array(repeating: [Int](), count: count)
    for index in whole.tensors.indices {
      places[.random(in: 0..<count, using: &random)].append(index)
    }
    var parts = whole.split(into: places)
    for index in parts.indices.dropFirst() where index % 2 == 0 {
      // Alignment is each file's own matter.
      parts[index].alignment = 8
      parts[index].set("general.alignment", .uint32(8))
      parts[index] = Self.packed(parts[index])
    }
    try TestFiles.withDirectory { directory in
      try TestFiles.write(whole.bytes, to: "\(directory)/whole.gguf")
      let expected = try Checkpoint.open("\(directory)/whole.gguf")
      for (index, part) in parts.enumerated() {
        try TestFiles.write(part.bytes, to: Self.path(index, count, in: directory))
      }
      for index in 0..<count {
        let found = try Checkpoint.open(Self.path(index, count, in: directory))
        #expect(found.description.name == "model")
        #expect(found.description.layers == expected.description.layers)
        for layer in expected.description.layers {
          #expect(
            try found.matrix(of: layer.name).decoded() == expected.matrix(of: layer.name).decoded())
        }
        #expect(try found.vector(named: "model.norm") == expected.vector(named: "model.norm"))
      }
    }
  }

  @Test func aCountOfOneIsLeftBehindByJoining() throws {
    for count in [UInt16(0), 1] {
      var builder = GGUFBuilder.llama()
      builder.set("split.no", .raw(2, little(UInt16(0))))
      builder.set("split.count", .raw(2, little(count)))
      try TestFiles.withDirectory { directory in
        try TestFiles.write(builder.bytes, to: "\(directory)/joined.gguf")
        #expect(try Checkpoint.open("\(directory)/joined.gguf").description.name == "joined")
      }
    }
  }

  @Test func missingPartsAreNamed() throws {
    try expect(
      "model-00001-of-00003.gguf: is part 1 of 3, and beside it there is no model-00002-of-00003.gguf;"
    ) { $0[1] = nil }
    try expect("there is no model-00002-of-00003.gguf, model-00003-of-00003.gguf") {
      $0[1] = nil
      $0[2] = nil
    }
    try expect("is part 3 of 3, and beside it there is no model-00001-of-00003", opening: 2) {
      $0[0] = nil
    }
  }

  @Test func partsThatDisagreeAreErrors() throws {
    let disagree = "00002-of-00003.gguf: is not part 2 of the 3 that its name makes it"
    try expect(disagree) { $0[1]?.set("split.no", .raw(2, little(UInt16(2)))) }
    try expect(disagree) { $0[1]?.set("split.count", .raw(2, little(UInt16(4)))) }
    try expect(disagree) { $0[1]?.set("split.count", nil) }
    try expect(disagree) { $0[1]?.set("split.tensors.count", .int32(10)) }
    try expect("00002-of-00003.gguf: split.no is missing") { $0[1]?.set("split.no", nil) }
    try expect("00001-of-00003.gguf: split.no is missing, or no number below 3") {
      $0[0]?.set("split.no", .raw(2, little(UInt16(3))))
    }
    try expect("split.count is 100000, not a whole number from 1 to 99999") {
      $0[0]?.set("split.count", .uint32(100_000))
    }
    try expect("00003-of-00003.gguf: tensor output_norm.weight: is in model-00001-of-00003.gguf") {
      $0[2]?.add("output_norm.weight", [4])
    }
    try expect("says that the parts hold 11 tensors, and they hold 12") {
      $0[2]?.add("another.weight", [4])
    }
    try expect("00002-of-00003.gguf: tensor blk.0.attn_v.weight: reaches beyond the end") {
      $0[1]?.data.removeLast()
    }
    try expect("00002-of-00003.gguf: does not start with") { $0[1]?.magic = [0, 0, 0, 0] }
  }

  @Test func namesSayWhichPartAFileIs() {
    let name = PartName(gguf: "a/b-00001-of-00002-00003-of-00012.gguf")
    #expect(name?.stem == "a/b-00001-of-00002" && name?.index == 2 && name?.count == 12)
    #expect(name?.part(11) == "a/b-00001-of-00002-00012-of-00012.gguf")
    for wrong in [
      "m-00000-of-00002.gguf", "m-00003-of-00002.gguf", "m-00001-of-00000.gguf",
      "m-0001-of-0002.gguf", "m-00001-of-00002.GGUF", "m-00001-of-00002.gguf.bak", "m.gguf", "",
    ] {
      #expect(PartName(gguf: wrong) == nil, "\(wrong)")
    }
  }

  @Test func aPartNeedsItsName() throws {
    var random = SeededRandom(seed: 1)
    let part = Self.model(&random).split(into: [[0, 1], Array(2..<11)])[1]
    try TestFiles.withDirectory { directory in
      let path = "\(directory)/model.gguf"
      try TestFiles.write(part.bytes, to: path)
      let error = #expect(throws: CheckpointError.self) { try Checkpoint.open(path) }
      #expect(
        error?.reason
          == "is part 2 of 2 of a model, but its name does not end in -00002-of-00002.gguf")
    }
  }

  /// The smallest Llama model with random weights.
  private static func model(_ random: inout SeededRandom) -> GGUFBuilder {
    var builder = GGUFBuilder.llama()
    builder.data = (0..<builder.data.count / 4).flatMap { _ in
      little(Float.random(in: -1..<1, using: &random).bitPattern)
    }
    return builder
  }

  /// A part with its tensors moved to where its alignment wants them.
  private static func packed(_ part: GGUFBuilder) -> GGUFBuilder {
    var moved = part
    (moved.tensors, moved.data) = ([], [])
    for tensor in part.tensors {
      let (start, size) = (Int(tensor.offset), Int(tensor.dimensions.reduce(4, *)))
      moved.add(tensor.name, tensor.dimensions)
      moved.data.replaceSubrange(
        (moved.data.count - size)..., with: part.data[start..<start + size])
    }
    return moved
  }

  private static func path(_ index: Int, _ count: Int, in directory: String) -> String {
    "\(directory)/model-0000\(index + 1)-of-0000\(count).gguf"
  }

  /// Expects an error of opening one of three parts after a change; nil stands for a part that is not there.
  private func expect(
    _ part: String, opening: Int = 0, _ location: SourceLocation = #_sourceLocation,
    _ change: (inout [GGUFBuilder?]) -> Void
  ) throws {
    var random = SeededRandom(seed: 7)
    var parts: [GGUFBuilder?] = Self.model(&random)
      .split(into: [[0, 1, 2], [3, 4, 5], Array(6..<11)])
    change(&parts)
    try TestFiles.withDirectory { directory in
      for (index, part) in parts.enumerated() {
        guard let part else { continue }
        try TestFiles.write(part.bytes, to: Self.path(index, 3, in: directory))
      }
      do {
        _ = try Checkpoint.open(Self.path(opening, 3, in: directory))
        Issue.record("opened", sourceLocation: location)
      } catch let error as CheckpointError {
        #expect(error.description.contains(part), "\(error)", sourceLocation: location)
      }
    }
  }
}
