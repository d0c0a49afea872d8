import Checkpoints
import Compression
import Foundation
import Tensors
import Testing

@testable import Export

/// What goes to a cluster: the archive as Python's zipfile reads it, and what programs there are told.
@Suite struct JobPackageTests {
  private func python(_ script: String, _ input: [UInt8]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script]
    let (into, out) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (into, out)
    try process.run()
    try into.fileHandleForWriting.write(contentsOf: Data(input))
    try into.fileHandleForWriting.close()
    let output = try out.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: output, as: UTF8.self)
  }

  private static let listing = """
    import io, json, sys, zipfile
    archive = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))
    assert archive.testzip() is None
    print(json.dumps([[i.filename, archive.read(i).decode(), oct(i.external_attr >> 16)] for i in archive.infolist()]))
    """

  @Test func pythonReadsTheArchive() throws {
    let package = JobPackage(files: [
      .init(name: "job.py", text: "print('ü')\n"), .init(name: "empty", text: ""),
      .init(name: "größe.json", text: String(repeating: "x", count: 70_000)),
    ])
    let read = try JSONDecoder().decode(
      [[String]].self, from: Data(try python(Self.listing, package.archive).utf8))
    #expect(read.map { $0[0] } == package.files.map(\.name))
    #expect(read.map { $0[1] } == package.files.map(\.text))
    #expect(read.allSatisfy { $0[2] == "0o100644" })
    #expect(package.archive == package.archive)
  }

  @Test func anArchiveOfNothingIsOne() throws {
    #expect(try python(Self.listing, JobPackage(files: []).archive) == "[]\n")
  }

  /// The check values of CRC-32's catalogue (RevEng).
  @Test func checksums() {
    #expect(ZipArchive.checksum(Array("123456789".utf8)) == 0xcbf4_3926)
    #expect(ZipArchive.checksum([]) == 0)
  }

  @Test func otherFilesHaveAnotherName() {
    let one = JobPackage(files: [.init(name: "ab", text: "c")])
    let other = JobPackage(files: [.init(name: "a", text: "bc")])
    #expect(one.name != other.name && one.name == JobPackage(files: one.files).name)
    #expect(one.name.wholeMatch(of: #/_ray_pkg_[0-9a-f]{16}\.zip/#) != nil)
  }

  @Test func programsCompile() throws {
    let all = JobPrograms.recipe + JobPrograms.sensitivity + JobPrograms.common
    #expect(all.count == 6)
    for file in all {
      _ = try python(
        "import sys; compile(sys.stdin.buffer.read(), '\(file.name)', 'exec')", file.header)
    }
  }

  @Test func onlyRoundedIntegersAreTriedThere() {
    let rounded = QuantizationScheme(bits: 4, group: .size(128))
    #expect(LayerList.flaw(of: Scheme(quantization: rounded)) == nil)
    var calibrated = rounded
    calibrated.method = .gptq
    let others = [
      Scheme(quantization: calibrated), Scheme(quantization: QuantizationScheme(block: .q4_0)),
      Scheme(quantization: QuantizationScheme(float: .fp8)), .keep,
      Scheme(
        quantization: rounded, sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4))),
    ]
    for scheme in others {
      #expect(LayerList.flaw(of: scheme)?.contains("4g128/rtn") == true)
    }
  }

  @Test func windowsAreJSON() throws {
    struct File: Decodable {
      let text: String
      let windows: [[Int]]
    }
    let text = TokenFile.text([[1, 2, 3], [4, 5, 6]], of: "a \"b\".txt")
    let file = try JSONDecoder().decode(File.self, from: Data(text.utf8))
    #expect(file.windows == [[1, 2, 3], [4, 5, 6]] && file.text == "a \"b\".txt")
  }
}
