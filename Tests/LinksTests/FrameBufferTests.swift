import TestSupport
import Testing

@testable import Links

/// Frames are what was sent, however the bytes are cut, and bytes that are no frames are errors.
struct FrameBufferTests {
  private let limit = 1000

  /// Frames of random lengths, cut at random places.
  @Test(arguments: 0..<50) func framesArriveWhole(_ seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let contents = (0..<20).map { _ in
      (0..<Int.random(in: 0...limit, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
    }
    let stray = seed % 3 == 0 ? Array("Welcome to host!\nvise engine".utf8) : []
    var bytes = stray + FrameBuffer.opening
    for content in contents { bytes += try FrameBuffer.frame(content, limit: limit) }
    var buffer = FrameBuffer(limit: limit)
    var found: [[UInt8]] = []
    while !bytes.isEmpty {
      let count = min(bytes.count, Int.random(in: 1...600, using: &random))
      buffer.append(Array(bytes.prefix(count)))
      bytes.removeFirst(count)
      while let frame = try buffer.next() { found.append(frame) }
    }
    #expect(found == contents)
  }

  @Test func lengthsAreTheHighestByteFirst() throws {
    #expect(try FrameBuffer.frame([7, 8], limit: 2) == [0, 0, 0, 2, 7, 8])
    #expect(
      try FrameBuffer.frame(Array(repeating: 0, count: 258), limit: 300).prefix(4) == [0, 0, 1, 2])
  }

  @Test func whatIsTooLongIsRefusedOnBothSides() throws {
    #expect(throws: LinkError.self) { try FrameBuffer.frame([1, 2, 3], limit: 2) }
    var buffer = FrameBuffer(limit: limit)
    buffer.append(FrameBuffer.opening + [0, 0, 3, 233])
    #expect(throws: LinkError.self) { try buffer.next() }
  }

  @Test func somethingElseIsNotWaitedForEver() throws {
    var buffer = FrameBuffer(limit: limit)
    buffer.append(Array("ls: cannot open\n".utf8))
    #expect(try buffer.next() == nil)
    #expect(buffer.strayText == "ls: cannot open\n")
    buffer.append(Array(repeating: 65, count: 70_000))
    #expect(throws: LinkError.self) { try buffer.next() }
  }

  /// Random bytes are frames or an error, and never more than what came.
  @Test(arguments: 0..<200) func randomBytesDoNoHarm(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var buffer = FrameBuffer(limit: limit)
    if Bool.random(using: &random) { buffer.append(FrameBuffer.opening) }
    var (sent, taken) = (0, 0)
    do {
      for _ in 0..<100 {
        let bytes = (0..<Int.random(in: 1...50, using: &random)).map { _ in
          // Many zeros make short lengths likely.
          UInt8.random(in: 0...255, using: &random) % (Bool.random(using: &random) ? 2 : 255)
        }
        sent += bytes.count
        buffer.append(bytes)
        while let frame = try buffer.next() { taken += frame.count + 4 }
      }
    } catch {
      #expect(error.description.isEmpty == false)
    }
    #expect(taken <= sent)
  }
}
