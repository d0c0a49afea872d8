import Compression
import Procedures
import Tensors
import Work

/// Whether memory holds the compressed model.
extension Workspace {
  /// Why the layers that are still to be compressed cannot all be held in memory; nil if they can.
  ///
  /// A layer takes in memory what its codes, scales and zero points take in a file. The layer that it replaces is
  /// subtracted; the cache of earlier choices may still hold it.
  var memoryObstacle: String? {
    guard let free = freeMemory else { return nil }
    let needed = plan.uncompressed.reduce(0) { sum, number in
      let size = LayerSize.predicted(
        for: shapes[number], scheme: plan.scheme(of: number), original: originalBytes(of: number))
      // Blocks of GGUF's types stay beside the form in which they multiply.
      let copies = plan.scheme(of: number).quantization?.block == nil ? 1 : 2
      return sum + copies * size.total - (models.result(of: number)?.weights.byteCount ?? 0)
    }
    guard needed > free else { return nil }
    let way =
      plan.needsSweep
      ? "the plan's methods need the earlier layers compressed at hand: take rtn or hqq, which go layer by layer, or a "
        + "machine with more memory"
      : "errors are sampled, and an export goes layer by layer without holding the model"
    return "the compressed model takes \(Self.gigabytes(needed, roundedUp: true)) more memory, and "
      + "\(Self.gigabytes(max(free, 0), roundedUp: false)) can be had; \(way)"
  }

  /// Bytes that layers may still take; nil where that is not known.
  private var freeMemory: Int? {
    guard let limit = settings.memoryBytes else { return SystemMemory.available.map { $0 / 8 * 7 } }
    return shapes.indices.reduce(limit) { $0 - (models.result(of: $1)?.weights.byteCount ?? 0) }
  }

  /// Refuses to compress a model in memory that is too small for it.
  ///
  /// - Throws: ``JobFailure`` that says what is missing, and what can be done without.
  func checkMemory() throws(JobFailure) {
    if let memoryObstacle { throw JobFailure(sentence: memoryObstacle) }
  }

  /// With two decimals; what is needed is rounded up and what there is down, so that they are never printed as the same.
  private static func gigabytes(_ bytes: Int, roundedUp: Bool) -> String {
    let hundredths = (bytes + (roundedUp ? 9_999_999 : 0)) / 10_000_000
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) GB"
  }
}
