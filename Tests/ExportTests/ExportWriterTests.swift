import Export
import Foundation
import TestSupport
import Testing

/// Writing, interrupting and resuming an export, against the files put together in memory.
@Suite struct ExportWriterTests {
  /// Layers of two tensors each, spread over two files with gaps, and a file and a copy without tensors.
  private struct Example {
    let layout: ExportLayout
    let layers: [(name: String, tensors: [EncodedTensor])]
    let expected: [String: [UInt8]]

    init(layers count: Int, in folder: TemporaryFolder) throws {
      var expected: [String: [UInt8]] = [
        "config.json": Array("{}".utf8), "more/tokenizer.json": [1, 2, 3],
      ]
      let source = try folder.write([1, 2, 3], to: "source.json")
      var slots: [[TensorSlot]] = [[], []]
      var files = [[UInt8](repeating: 7, count: 5), [UInt8](repeating: 8, count: 3)]
      let headers = files
      var layers: [(String, [EncodedTensor])] = []
      for number in 0..<count {
        let file = number % 2
        var tensors: [EncodedTensor] = []
        for part in 0..<2 {
          let size = (number * 3 + part * 5) % 11
          let bytes = (0..<size).map { UInt8(truncatingIfNeeded: 16 * number + 3 * part + $0) }
          files[file] += [UInt8](repeating: 0, count: part)
          slots[file].append(
            TensorSlot(
              name: "layer.\(number).\(part)", type: "U8", shape: [size],
              offset: files[file].count, byteCount: size))
          files[file] += bytes
          tensors.append(EncodedTensor(name: "layer.\(number).\(part)", bytes: bytes))
        }
        layers.append(("layer.\(number)", tensors))
      }
      for file in 0..<2 {
        files[file] += [0, 0]
        expected["model-\(file).bin"] = files[file]
      }
      layout = ExportLayout(
        files: [FileLayout(name: "config.json", contents: Array("{}".utf8))]
          + (0..<2).map { file in
            FileLayout(
              name: "model-\(file).bin", header: headers[file], tensors: slots[file],
              byteCount: files[file].count)
          }, copies: [FileCopy(name: "more/tokenizer.json", source: source, byteCount: 3)])
      self.layers = layers
      self.expected = expected
    }

    func writer(
      to path: String, replaces: Bool = false, purpose: String = "test"
    ) throws(ExportError) -> ExportWriter {
      try ExportWriter(layout, to: path, as: .directory, replaces: replaces, purpose: purpose)
    }

    /// Writes the layers of these places but those that were taken on, in slices of at most `limit` bytes.
    func write(
      _ places: some Sequence<Int>, with writer: inout ExportWriter, limit: Int = .max,
      but adopted: [Int] = []
    ) throws(ExportError) {
      for place in places where !adopted.contains(place) {
        for tensor in layers[place].tensors {
          var end = 0
          repeat {
            end = try writer.write(tensor, from: end, limit: limit)
          } while end < tensor.bytes.count
        }
        try writer.complete(
          layers[place].name, tensors: layers[place].tensors.map(\.name),
          source: "source \(place)")
      }
    }

    /// Takes on what an earlier writer left; returns the places of the layers that it was.
    func resume(_ writer: inout ExportWriter) throws(ExportError) -> [Int] {
      var adopted: [Int] = []
      for place in layers.indices {
        let isWritten = try writer.adopt(
          layers[place].name, tensors: layers[place].tensors.map(\.name),
          source: "source \(place)")
        if isWritten { adopted.append(place) }
      }
      return adopted
    }
  }

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func reason(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [1, 4, Int.max])
  func anyOrderGivesTheSameFiles(limit: Int) throws {
    let example = try Example(layers: 9, in: folder)
    var generator = SystemRandomNumberGenerator()
    var writer = try example.writer(to: "\(folder.path)/out")
    try example.write((0..<9).shuffled(using: &generator), with: &writer, limit: limit)
    #expect(try folder.contents(of: "out") == nil)
    #expect(writer.writtenBytes == example.layout.byteCount)
    try writer.finish()
    #expect(try folder.contents(of: "out") == example.expected)
    #expect(try folder.names == ["out", "source.json"])
    #expect(example.expected.values.reduce(0) { $0 + $1.count } == example.layout.byteCount)
  }

  /// Whatever was complete at the interruption, the rest alone completes the export.
  @Test(arguments: 0...9)
  func resumesAfterEachLayer(count: Int) throws {
    let example = try Example(layers: 9, in: folder)
    do {
      var writer = try example.writer(to: "\(folder.path)/out")
      try example.write(0..<count, with: &writer)
      // A layer that was begun, and even written, but not noted is no layer.
      if count < 9 { _ = try writer.write(example.layers[count].tensors[0], limit: 1) }
    }
    #expect(try folder.names.contains("out") == false)
    var writer = try example.writer(to: "\(folder.path)/out")
    #expect(try example.resume(&writer) == Array(0..<count))
    #expect(writer.adopted == count)
    #expect((writer.leftoverNote == nil) == (count == 0))
    try example.write(count..<9, with: &writer)
    try writer.finish()
    #expect(try folder.contents(of: "out") == example.expected)
  }

  @Test func journalCutOffAnywhereIsStillTrusted() throws {
    let example = try Example(layers: 3, in: folder)
    let journal: [UInt8]
    do {
      var writer = try example.writer(to: "\(folder.path)/out")
      try example.write(0..<3, with: &writer)
      journal = try folder.bytes(of: "out.partial/journal")
    }
    for length in 0..<journal.count {
      try folder.write(Array(journal[..<length]), to: "out.partial/journal")
      var writer = try example.writer(to: "\(folder.path)/out")
      let lines =
        journal[..<length].split(separator: 10, omittingEmptySubsequences: false).count - 1
      let adopted = try example.resume(&writer)
      #expect(adopted.count == max(0, lines - 1))
      try example.write(0..<3, with: &writer, but: adopted)
    }
  }

  /// The names of what an interrupted writer left, with what it holds.
  private func interrupted(_ example: Example, after count: Int) throws -> [String: [UInt8]] {
    var writer = try example.writer(to: "\(folder.path)/out")
    try example.write(0..<count, with: &writer)
    return try #require(try folder.contents(of: "out.partial"))
  }

  /// Whatever becomes of what an interrupted writer left, the next one writes the export that was asked for.
  @Test(arguments: [0, 1, 2, 3])
  func nothingIsBelievedUnchecked(kind: Int) throws {
    let example = try Example(layers: 7, in: folder)
    var random = SeededRandom(seed: UInt64(kind))
    for _ in 0..<40 {
      try? FileManager.default.removeItem(atPath: "\(folder.path)/out")
      let left = try interrupted(example, after: Int.random(in: 0...7, using: &random))
      let names = left.keys.sorted()
      let name = "out.partial/\(names[Int.random(in: 0..<names.count, using: &random)])"
      var bytes = try folder.bytes(of: name)
      switch kind {
      case 0 where !bytes.isEmpty:
        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8)
      case 1: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
      case 2: bytes = [UInt8](repeating: 0, count: bytes.count)
      default: bytes = []
      }
      try folder.write(bytes, to: name)
      if kind == 3 { try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)") }
      var writer = try example.writer(to: "\(folder.path)/out")
      let adopted = try example.resume(&writer)
      try example.write(0..<7, with: &writer, but: adopted)
      try writer.finish()
      #expect(try folder.contents(of: "out") == example.expected, "\(name)")
    }
  }

  @Test func falseLinesOfTheJournalAreNoLayers() throws {
    let example = try Example(layers: 3, in: folder)
    let left = try interrupted(example, after: 1)
    let lines = String(decoding: try #require(left["journal"]), as: UTF8.self)
      .split(separator: "\n").map(String.init)
    for line in [
      "layer.2\tlayer.2.0\tlayer.2.1", "layer\tlayer.2\tsource 2", "complete",
      lines[1].replacing("layer.0", with: "layer.2").replacing("source 0", with: "source 2"),
    ] {
      try folder.write("\(lines[0])\n\(lines[1])\n\(line)\n".utf8, to: "out.partial/journal")
      var writer = try example.writer(to: "\(folder.path)/out")
      #expect(try example.resume(&writer) == [0], "\(line)")
    }
  }

  /// A layer that would be made of other weights now is written again.
  @Test func otherSourcesAreOtherLayers() throws {
    let example = try Example(layers: 3, in: folder)
    _ = try interrupted(example, after: 3)
    var writer = try example.writer(to: "\(folder.path)/out")
    let tensors = example.layers[1].tensors.map(\.name)
    #expect(try !writer.adopt("layer.1", tensors: tensors, source: "source 2"))
    #expect(try !writer.adopt("layer.1", tensors: [tensors[0]], source: "source 1"))
    #expect(try writer.adopt("layer.1", tensors: tensors, source: "source 1"))
  }

  /// A kill after the files were moved into place, before what is left of writing them was removed.
  @Test func finishedExportIsNotWrittenOverByNothing() throws {
    let example = try Example(layers: 4, in: folder)
    _ = try interrupted(example, after: 4)
    let journal = try folder.bytes(of: "out.partial/journal")
    var writer = try example.writer(to: "\(folder.path)/out")
    #expect(try example.resume(&writer).count == 4)
    try writer.finish()
    // Folders of an export cannot be replaced, so the finished one is moved away.
    let moved = try folder.contents(of: "out")
    try FileManager.default.moveItem(atPath: "\(folder.path)/out", toPath: "\(folder.path)/moved")
    for keepsFolder in [true, false] {
      try folder.makeDirectory(keepsFolder ? "out.partial/files" : "out.partial")
      try folder.write(journal, to: "out.partial/journal")
      var next = try example.writer(to: "\(folder.path)/out")
      #expect(try example.resume(&next).isEmpty)
      #expect(throws: ExportError.self) { try next.finish() }
      #expect(try folder.contents(of: "out") == nil)
      #expect(moved == example.expected)
    }
  }

  /// A directory that was moved aside is back when the next writer begins, whatever that one writes.
  @Test(arguments: ["test", "other"])
  func directoryMovedAsideComesBack(purpose: String) throws {
    let example = try Example(layers: 2, in: folder)
    _ = try interrupted(example, after: 2)
    try folder.makeDirectory("out.partial/replaced")
    try folder.write([9], to: "out.partial/replaced/config.json")
    let refusal = reason {
      _ = try example.writer(to: "\(folder.path)/out", purpose: purpose)
    }
    #expect(refusal.contains("exists already"))
    #expect(try folder.contents(of: "out") == ["config.json": [9]])
    var writer = try example.writer(to: "\(folder.path)/out", replaces: true, purpose: purpose)
    try example.write(0..<2, with: &writer)
    try writer.finish()
    #expect(try folder.contents(of: "out") == example.expected)
    #expect(try folder.names == ["out", "source.json"])
  }

  /// What lies between the files is no part of the export.
  @Test func strangersAreLeftOut() throws {
    let example = try Example(layers: 2, in: folder)
    _ = try interrupted(example, after: 1)
    try folder.makeDirectory("out.partial/files/other/more")
    try folder.write([1], to: "out.partial/files/other/more/x")
    try folder.write([1], to: "out.partial/files/more/old.json")
    try folder.write([1], to: "out.partial/files/old.bin")
    var writer = try example.writer(to: "\(folder.path)/out")
    #expect(try example.resume(&writer) == [0])
    try example.write(1..<2, with: &writer)
    try writer.finish()
    #expect(try folder.contents(of: "out") == example.expected)
  }

  /// Files that somebody removes, cuts or swaps while they are written end the export.
  @Test(arguments: [0, 1, 2])
  func filesChangedMeanwhileAreNoExport(kind: Int) throws {
    let example = try Example(layers: 4, in: folder)
    var writer = try example.writer(to: "\(folder.path)/out")
    try example.write(0..<3, with: &writer)
    let name = "out.partial/files/model-1.bin"
    let bytes = try folder.bytes(of: name)
    if kind != 1 { try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)") }
    if kind > 0 { try folder.write(bytes.dropLast(kind == 1 ? 1 : 0), to: name) }
    let reason = reason {
      try example.write(3..<4, with: &writer)
      try writer.finish()
    }
    #expect(reason.contains("model-1.bin"), "\(reason)")
    #expect(try folder.names.contains("out") == false)
  }

  @Test func anotherExportBeginsAfresh() throws {
    let example = try Example(layers: 4, in: folder)
    do {
      var writer = try example.writer(to: "\(folder.path)/out")
      try example.write(0..<3, with: &writer)
    }
    var other = try example.writer(to: "\(folder.path)/out", purpose: "other")
    #expect(try example.resume(&other).isEmpty)
    #expect(other.leftoverNote?.contains("another export") == true)
    let larger = try Example(layers: 5, in: folder)
    _ = consume other
    var last = try larger.writer(to: "\(folder.path)/out", purpose: "other")
    #expect(try larger.resume(&last).isEmpty)
  }

  @Test func nothingUnfinishedIsPutInPlace() throws {
    let example = try Example(layers: 2, in: folder)
    var writer = try example.writer(to: "\(folder.path)/out")
    try example.write([1], with: &writer)
    let reason = reason { try writer.finish() }
    #expect(reason.contains("layer.0.0") && reason.contains("was not written"))
    #expect(try folder.names.contains("out") == false)
  }

  @Test func tensorsThatDoNotFitAreRefused() throws {
    let example = try Example(layers: 2, in: folder)
    var writer = try example.writer(to: "\(folder.path)/out")
    let stranger = EncodedTensor(name: "other", bytes: [])
    #expect(reason { _ = try writer.write(stranger) }.contains("other"))
    let long = EncodedTensor(name: "layer.1.0", bytes: [UInt8](repeating: 0, count: 99))
    #expect(reason { _ = try writer.write(long) }.contains("99 bytes, not 3"))
  }

  @Test func oneWriterAtATime() throws {
    let example = try Example(layers: 1, in: folder)
    let first = try example.writer(to: "\(folder.path)/out")
    #expect(reason { _ = try example.writer(to: "\(folder.path)/out") }.contains("under way"))
    withExtendedLifetime(first) {}
  }

  @Test func hostileLayoutsAreRefused() throws {
    func layout(_ name: String, offset: Int = 0, size: Int = 1) -> ExportLayout {
      let slot = TensorSlot(name: "t", type: "U8", shape: [size], offset: offset, byteCount: size)
      return ExportLayout(files: [FileLayout(name: name, header: [], tensors: [slot], byteCount: 4)]
      )
    }
    let wrong = [
      layout("../x"), layout("/etc/x"), layout("a//b"), layout(""), layout("a/./b"),
      layout("x\u{0}y"), layout("x", offset: 4), layout("x", offset: -1),
      layout("x", offset: .max), layout("x", size: -1),
      ExportLayout(files: layout("x").files + layout("x").files),
      ExportLayout(files: layout("x").files + layout("y").files),
      ExportLayout(files: [FileLayout(name: "x", header: [1, 2], tensors: [], byteCount: 1)]),
    ]
    for layout in wrong {
      #expect(throws: ExportError.self) {
        try ExportWriter(
          layout, to: "\(folder.path)/out", as: .directory, replaces: false, purpose: "")
      }
    }
    #expect(try folder.names.isEmpty)
  }
}
