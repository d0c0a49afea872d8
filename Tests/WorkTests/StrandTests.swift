import TestSupport
import Testing
import Work

@Suite struct StrandTests {
  private final class Log {
    var entries: [String] = []
    var threads: [ThreadPath] = []
  }

  private let log = Log()

  /// Code that counts to `last`, a pause after each number, and says when it unwinds.
  private func counting(to last: Int) -> Strand {
    let log = log
    return Strand { pause throws(WorkFailure) in
      log.threads.append(.current)
      defer { log.entries.append("unwound") }
      for number in 1...last {
        log.entries.append("\(number)")
        try pause()
      }
    }
  }

  @Test func ownerAndCodeTakeTurns() {
    let strand = counting(to: 2)
    #expect(log.entries.isEmpty)
    for turn in 1...2 {
      guard case .paused = strand.resume() else {
        Issue.record("it has ended")
        return
      }
      log.entries.append("owner \(turn)")
    }
    guard case .ended(.success) = strand.resume() else {
      Issue.record("it did not end")
      return
    }
    #expect(log.entries == ["1", "owner 1", "2", "owner 2", "unwound"])
  }

  @Test func failuresReachTheOwner() {
    let strand = Strand { pause throws(WorkFailure) in
      try pause()
      throw WorkFailure(sentence: "no more")
    }
    _ = strand.resume()
    guard case .ended(.failure(let failure)) = strand.resume() else {
      Issue.record("it did not fail")
      return
    }
    #expect(failure.sentence == "no more")
  }

  @Test func cancellingUnwindsWhereItPaused() {
    let strand = counting(to: 5)
    _ = strand.resume()
    _ = strand.resume()
    strand.cancel()
    #expect(log.entries == ["1", "2", "unwound"])
    strand.cancel()
    #expect(log.entries.count == 3)
  }

  @Test func whatHasNotBegunNeverBegins() {
    let strand = counting(to: 5)
    strand.cancel()
    #expect(log.entries.isEmpty)
  }

  /// Code that goes on after it was told to end is told so at every pause.
  @Test func stubbornCodeEndsToo() {
    let log = log
    let strand = Strand { pause throws(WorkFailure) in
      for attempt in 1...3 {
        do throws(WorkFailure) { try pause() } catch {
          log.entries.append("\(attempt): \(error == .cancelled)")
        }
      }
    }
    _ = strand.resume()
    strand.cancel()
    #expect(log.entries == ["1: true", "2: true", "3: true"])
  }

  @Test func noThreadIsLeft() {
    var strands = (0..<20).map { _ in counting(to: 3) }
    for strand in strands { _ = strand.resume() }
    #expect(Set(log.threads).count == 20 && log.threads.allSatisfy { $0.isThere })
    for strand in strands[..<5] { strand.cancel() }
    for strand in strands[5..<10] { while case .paused = strand.resume() {} }
    strands = []
    #expect(log.entries.count { $0 == "unwound" } == 20)
    #expect(!log.threads.contains { $0.isThere })
  }
}
