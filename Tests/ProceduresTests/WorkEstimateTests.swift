import Checkpoints
import Compression
import Inference
import Procedures
import Tensors
import TestSupport
import Testing
import Work

/// What estimates are made of, on a clock that moves a millisecond each time somebody reads it.
@Suite struct WorkEstimateTests {
  private final class Clock {
    private var time = Duration.zero
    func now() -> Duration {
      time += .milliseconds(1)
      return time
    }
  }

  private let decoder: Decoder
  private let estimate: WorkEstimate
  private let gptq = Scheme(
    quantization: QuantizationScheme(bits: 4, group: .size(64), method: .gptq))
  private let rtn = Scheme(quantization: QuantizationScheme(bits: 4, group: .size(64)))

  private var model: ModelDescription { decoder.description }

  init() throws {
    decoder = try ScriptureSample().decoder
    let clock = Clock()
    estimate = WorkEstimate(
      of: decoder.description, speed: try decoder.speed(now: clock.now),
      compression: CompressionSpeed(on: WorkerPool(threads: 1), now: clock.now))
  }

  private func seconds(
    _ scheme: Scheme, of layers: (LayerDescription) -> Bool = { $0.block != nil }, tokens: Int
  ) throws -> Double {
    var estimate = estimate
    let numbers = model.layers.indices.filter { layers(model.layers[$0]) }
    return try estimate.compression(
      Dictionary(uniqueKeysWithValues: numbers.map { ($0, scheme) }), tokens: tokens,
      pace: .unwatched
    ).values.reduce(0, +)
  }

  /// All blocks of the sample have the same shapes, and one of them takes a millisecond for a whole context.
  @Test func aPassIsAllBlocks() throws {
    let context = try #require(model.blueprint?.contextLength)
    let expected = 0.001 * Double(model.blockCount) / Double(min(context, 512))
    #expect(abs(estimate.speed.calibration(tokens: 1) - expected) < 1e-9)
    #expect(abs(estimate.speed.calibration(tokens: 1000) - 1000 * expected) < 1e-6)
  }

  @Test func anEvaluationIsWhatEachModelReadsAndScores() throws {
    let pass = estimate.speed.calibration(tokens: 1)
    func evaluation(_ windows: Int, compressed: Bool, reads: Bool) throws -> Double {
      estimate.speed.evaluation(
        windows: windows, length: 500, scored: 250,
        compressed: compressed ? try decoder.speed(now: Clock().now) : nil, readsReference: reads)
    }
    let alone = try evaluation(1, compressed: false, reads: true)
    #expect(alone > 500 * pass)
    #expect(abs(try evaluation(4, compressed: false, reads: true) - 4 * alone) < 1e-9)
    #expect(abs(try evaluation(1, compressed: true, reads: true) - 2 * alone) < 1e-9)
    let known = try evaluation(1, compressed: true, reads: false)
    #expect(abs(known - (2 * alone - 500 * pass)) < 1e-9)
  }

  @Test func layersOfNoSweepNeedNoText() throws {
    // Layers are added up in any order.
    #expect(abs(try seconds(rtn, tokens: 100_000) - seconds(rtn, tokens: 0)) < 1e-12)
    #expect(try seconds(rtn, tokens: 0) > 0)
    #expect(try seconds(.keep, tokens: 100_000) == 0)
  }

  @Test func aSweepGrowsWithItsTextAndEndsAtItsLastBlock() throws {
    let none = try seconds(gptq, tokens: 0)
    let (some, more) = (try seconds(gptq, tokens: 1000), try seconds(gptq, tokens: 2000))
    #expect(none > 0 && some > none)
    #expect(abs((more - none) - 2 * (some - none)) < 1e-9)
    // Each token goes through all blocks, once to be observed and once to go on.
    #expect(some - none > estimate.speed.calibration(tokens: 1500))
    let early = try seconds(gptq, of: { $0.block == 0 }, tokens: 1000)
    #expect(early < 1.5 * some / Double(model.blockCount))
    let late = try seconds(gptq, of: { $0.block == model.blockCount - 1 }, tokens: 1000)
    #expect(late > estimate.speed.calibration(tokens: 1000))
  }

  @Test func trialsGrowWithCandidates() throws {
    var estimate = estimate
    func trials(_ candidates: [Scheme], tokens: Int = 0) throws -> Double {
      try estimate.trials(tokens: tokens, candidates: candidates, rows: 48, pace: .unwatched)
    }
    let (one, both) = (try trials([rtn]), try trials([rtn, gptq]))
    #expect(one > 0 && both > one)
    #expect(try trials([rtn], tokens: 1000) - one >= estimate.speed.calibration(tokens: 999))
    #expect(estimate.speed.gradients(tokens: 10) > 3 * estimate.speed.calibration(tokens: 10))
  }

  @Test func aRefinementRunsTheRestOfTheModelForEachLayer() throws {
    var estimate = estimate
    func refinement(_ block: Int) throws -> Double {
      let number = try #require(model.layers.firstIndex { $0.block == block })
      return try estimate.refinement(
        [number: rtn], windows: 2, length: 512, scored: 256, tokens: 0, pace: .unwatched)
    }
    let saved = try refinement(0) - refinement(model.blockCount - 1)
    let blocks = Double(model.blockCount)
    #expect(abs(saved - estimate.speed.calibration(tokens: 1024) * (blocks - 1) / blocks) < 1e-6)
  }

  @Test func findingOutEndsWhenItIsToldTo() throws {
    var estimate = estimate
    let record = PaceRecord(endingAt: 0)
    #expect(throws: WorkFailure.self) {
      try estimate.trials(tokens: 1, candidates: [gptq], rows: 8, pace: record.pace)
    }
    #expect(throws: InferenceError.cancelled) {
      try decoder.speed(now: Clock().now, pace: record.pace)
    }
  }
}
