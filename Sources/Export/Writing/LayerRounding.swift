import Checkpoints
import Compression
import Tensors

/// Rounds layers and writes them at once, one on each thread, with little of any in memory.
///
/// Reading, rounding, hashing and writing of a layer take turns on one thread, so that threads do not wait for each other,
/// nor for the disk while others compute.
public struct LayerRounding: Sendable {
  /// A layer on its way.
  private struct Lane: Sendable {
    let name: String
    let layer: RoundedLayer
    var sinks: [TensorSink]
    var reading: LayerReading
    var row = 0
    /// Whether its weights have turned out not to be numbers.
    var isRefused = false
    /// The hash of what it was made from, once it is complete.
    var source: String?
    var isFinished: Bool { isRefused || source != nil }

    /// Goes on with the next rows.
    mutating func step(in buffer: inout [UInt8]) throws(ExportError) {
      let part = layer.part(from: row)
      guard let bytes = layer.bytes(of: part, in: &buffer) else {
        isRefused = true
        return
      }
      for (place, bytes) in bytes.enumerated() { try sinks[place].write(bytes) }
      row = part.upperBound
      if row < layer.rounding.shape.rows {
        reading.step(bytes: part.count * layer.rounding.bytesPerRow)
      } else {
        source = reading.finish()
      }
    }
  }

  /// Layers that a thread may come to in one step: small ones take less than a tenth of a millisecond.
  private static let lanesAThread = 64

  private let checkpoint: Checkpoint
  /// Layers that have no lane, the largest last: it is the next.
  private var waiting: [RoundedLayer]
  private var lanes: [Lane] = []

  /// - Parameters:
  ///   - layers: what to write.
  ///   - checkpoint: what they are made from.
  public init(_ layers: [RoundedLayer], of checkpoint: Checkpoint) {
    self.checkpoint = checkpoint
    // A large one begun last would keep the others' threads waiting.
    waiting = layers.sorted { $0.weights < $1.weights }
  }

  public var isFinished: Bool { waiting.isEmpty && lanes.isEmpty }

  /// Works on all threads for a while.
  ///
  /// - Parameters:
  ///   - writer: where layers go.
  ///   - pool: the threads.
  ///   - duration: how long, near enough: parts of layers that are begun are ended.
  /// - Returns: the layers that are complete since the last step, by name; those whose weights are no numbers are left out.
  /// - Throws: ``ExportError`` when files cannot be written.
  public mutating func step(
    into writer: inout ExportWriter, pool: WorkerPool, for duration: Duration
  ) throws(ExportError) -> [String] {
    while lanes.count < pool.threadCount * Self.lanesAThread, let layer = waiting.popLast() {
      guard let reading = checkpoint.layerReading(of: layer.rounding.shape.name) else { continue }
      lanes.append(
        Lane(
          name: layer.rounding.shape.name, layer: layer,
          sinks: try writer.sinks(for: layer.tensors), reading: reading))
    }
    let (begun, end, threads) = (lanes, ContinuousClock.now + duration, pool.threadCount)
    let results = pool.map(count: threads) { thread -> Result<[Lane], ExportError> in
      var (own, buffer) = ([Lane](), [UInt8]())
      do throws(ExportError) {
        for place in stride(from: thread, to: begun.count, by: threads) {
          var lane = begun[place]
          repeat {
            try lane.step(in: &buffer)
          } while !lane.isFinished && ContinuousClock.now < end
          own.append(lane)
          guard ContinuousClock.now < end else { break }
        }
      } catch {
        return .failure(error)
      }
      return .success(own)
    }
    var complete: [String] = []
    var (unfinished, rest) = ([Lane](), [Lane]())
    for (thread, result) in results.enumerated() {
      let moved = try result.get()
      for lane in moved {
        if let source = lane.source {
          try writer.receive(lane.name, lane.sinks, source: source)
          complete.append(lane.name)
        } else if !lane.isRefused {
          unfinished.append(lane)
        }
      }
      let places = stride(from: thread + moved.count * threads, to: begun.count, by: threads)
      rest += places.map { begun[$0] }
    }
    // What is begun goes on first, each on a thread.
    lanes = unfinished + rest
    return complete
  }
}

extension RoundedLayer {
  fileprivate var weights: Int { rounding.shape.rows * rounding.shape.columns }
}
