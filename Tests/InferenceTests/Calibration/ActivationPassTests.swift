import Checkpoints
import Compression
import Inference
import Tensors
import TestSupport
import Testing

/// What layers read, against what transformers' layers read of the same tokens.
struct ActivationPassTests {
  private let pool = WorkerPool(threads: 2)
  private let record: ActivationRecord
  private let decoder: Decoder

  init() throws {
    record = try .load()
    decoder = try RealModel.decoder("Samples/scripture", on: pool)
  }

  private func pass(workAStep: Int = 600_000_000) throws -> ActivationPass {
    let windows = try TokenWindows(record.ids, length: record.window, contextLength: 512)
    return try ActivationPass(
      windows, decoder: decoder, splitsWindows: true, workAStep: workAStep)
  }

  private func sweep(
    _ pass: inout ActivationPass, _ decoder: Decoder, observing need: CalibrationNeed = .nothing,
    advancing: Bool = true
  ) throws -> Int {
    let record = PaceRecord()
    try pass.sweep(observing: need, advancing: advancing, with: decoder, pace: record.pace)
    #expect(record.isComplete)
    return record.shares.count
  }

  private func expect(
    _ pass: ActivationPass, _ expected: [ActivationRecord.Statistics],
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    for expected in expected {
      let found = try #require(pass.statistics(at: expected.site), sourceLocation: location)
      let even = try #require(pass.statistics(at: expected.site, of: .even))
      let odd = try #require(pass.statistics(at: expected.site, of: .odd))
      let gram = try #require(found.gram)
      let pairs = expected.channels.flatMap { row in expected.channels.map { gram[row, $0] } }
      #expect(found.tokens == 240 && even.tokens == 160 && odd.tokens == 80)
      for (values, wanted) in [
        (found.means, expected.means), (found.secondMoments, expected.secondMoments),
        (even.secondMoments, expected.evenSecondMoments), (pairs, expected.pairs),
      ] {
        let error = relativeError(values, wanted)
        #expect(error < 2e-5, "\(expected.site)", sourceLocation: location)
      }
      // The halves make the whole, and the Gram matrix has the moments on its diagonal.
      let joined = zip(even.secondMoments, odd.secondMoments).map { (2 * $0 + $1) / 3 }
      #expect(relativeError(joined, found.secondMoments) < 1e-5)
      let diagonal = (0..<gram.rows).map { gram[$0, $0] }
      #expect(relativeError(diagonal, found.secondMoments) < 1e-5)
    }
  }

  /// A sweep that only observes leaves out what nobody reads then.
  @Test func observingIsTheSameWithoutGoingOn() throws {
    var (staying, going) = (try pass(), try pass())
    for block in 0..<2 {
      _ = try sweep(&staying, decoder, observing: .gram, advancing: false)
      _ = try sweep(&going, decoder, observing: .gram)
      var found = 0
      for site in InputSite.sites(ofBlock: block) {
        let (one, other) = (staying.statistics(at: site), going.statistics(at: site))
        let isSame = one == other
        #expect(isSame, "\(site)")
        found += one?.gram == nil ? 0 : 1
      }
      #expect(found == 4)
      _ = try sweep(&staying, decoder)
    }
  }

  /// Whole windows at once, and in parts of 16 and 48 positions.
  @Test(arguments: [600_000_000, 1, 52_000_000])
  func statisticsAreThoseOfTransformers(workAStep: Int) throws {
    var pass = try pass(workAStep: workAStep)
    let last = decoder.description.blockCount - 1
    var steps: Set<Int> = []
    for block in 0...last {
      #expect(pass.block == block && !pass.isAtHead)
      let isRecorded = block == 0 || block == last
      steps.insert(try sweep(&pass, decoder, observing: isRecorded ? .gram : .nothing))
      let sites = InputSite.sites(ofBlock: block)
      try expect(pass, record.plain.filter { sites.contains($0.site) })
    }
    #expect(steps == [workAStep == 1 ? 15 : workAStep == 52_000_000 ? 6 : 3])
    #expect(pass.isAtHead)
    _ = try sweep(&pass, decoder, observing: .gram)
    #expect(pass.isAtHead)
    try expect(pass, record.plain.filter { $0.site == .head })
    #expect(pass.statistics(at: .attention(block: last)) == nil)
  }

  @Test func laterBlocksSeeWhatCompressedOnesProduce() throws {
    let middle = decoder.description.blockCount / 2
    let changed = try decoder.rounding(blocks: 0..<middle)
    var pass = try pass()
    for _ in 0..<middle {
      // Observing alone changes nothing that follows.
      _ = try sweep(&pass, decoder, observing: .moments, advancing: false)
      _ = try sweep(&pass, changed)
    }
    _ = try sweep(&pass, decoder, observing: .gram, advancing: false)
    #expect(pass.block == middle)
    try expect(pass, record.changed)
  }

  @Test func momentsAloneComeWithoutPairs() throws {
    var pass = try pass()
    _ = try sweep(&pass, decoder, observing: .moments, advancing: false)
    let found = try #require(pass.statistics(at: .feedForwardOutput(block: 0)))
    #expect(found.gram == nil && found.columns == decoder.description.innerSize)
    _ = try sweep(&pass, decoder, advancing: false)
    #expect(pass.statistics(at: .feedForwardOutput(block: 0)) == found)
    #expect(pass.statistics(at: .head) == nil)
  }

  @Test func aCopyGoesItsOwnWay() throws {
    var pass = try pass()
    var copy = pass
    _ = try sweep(&copy, decoder)
    #expect(pass.block == 0 && copy.block == 1)
    _ = try sweep(&pass, decoder, observing: .gram, advancing: false)
    try expect(pass, record.plain.filter { $0.site.block == 0 })
  }

  @Test func aBlockLeftOutPassesItsInputOn() throws {
    var pass = try pass()
    let shorter = decoder.leavingOut(blocks: [0])
    _ = try sweep(&pass, shorter, observing: .moments)
    #expect(pass.block == 1 && pass.statistics(at: .attention(block: 0)) == nil)
  }

  @Test func idsOutsideTheVocabularyAreRefused() throws {
    let windows = try TokenWindows([1, 2, 4096], length: 3, contextLength: 512)
    #expect(throws: InferenceError.unknownToken(id: 4096, vocabularySize: 4096)) {
      try ActivationPass(windows, decoder: decoder)
    }
  }
}
