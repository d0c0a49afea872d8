import Checkpoints
import Compression
import Inference
import Procedures
import TestSupport
import Testing
import Work

/// A calibration finds what a pass finds that is taken block by block, and ends when it is told to.
@Suite struct CalibrationPassTests {
  private let sample: ScriptureSample
  private let windows: TokenWindows

  init() throws {
    sample = try ScriptureSample()
    windows = try TokenWindows(sample.tokens, length: 64, contextLength: 512)
  }

  @Test func everySiteIsObserved() throws {
    let record = PaceRecord()
    let moments = try sample.decoder.moments(of: windows, pace: record.pace)
    #expect(record.isComplete)
    let model = sample.checkpoint.description
    #expect(Set(moments.keys).isSuperset(of: model.layers.compactMap(\.site)))
    for (_, found) in moments {
      #expect(found.tokens == windows.count * windows.length && found.gram == nil)
    }
  }

  @Test(arguments: [0.1, 0.5, 0.9])
  func cancelledItEndsAtThatTick(share: Double) throws {
    let record = PaceRecord(endingAt: share)
    #expect(throws: WorkFailure.self) {
      try sample.decoder.moments(of: windows, pace: record.pace)
    }
    #expect(record.shares.count { $0 >= share - 1e-9 } == 1)
  }
}
