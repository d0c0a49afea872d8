import Tensors

/// Measures this machine in about a second, with the very products that models are made of.
///
/// Weights of each width are read with one vector, as when a token is decoded, and multiplied with many, as when a prompt is
/// read. Each is done a few times, and the best counts: whatever else runs meanwhile only takes away.
public enum MachineProbe {
  /// Bytes of weights that are read: more than caches hold.
  private static let bytesRead = 80 << 20
  private static let rounds = 4
  private static let columns = 2048
  /// Vectors and rows of the products that stand for a prompt.
  private static let vectors = 256
  private static let rowsOfPrompt = 1024
  private static let groupSize = 64

  /// What whole models reach of the rates that are measured here.
  ///
  /// Blocks take some time beside: norms, and the waiting of threads for each other. Calibrated on two models at three widths; docs/hardware.md has the runs.
  static let reached = Machine.Shares(bandwidth: 0.85, arithmetic: 0.7, cache: 0.35)
  static let secondsABlock = 30e-6

  /// Measures.
  ///
  /// - Parameter pool: The threads that share the work, as the engine uses them.
  /// - Returns: This machine, with what is in use of its memory now.
  public static func run(on pool: WorkerPool = WorkerPool()) -> Machine {
    let memory = SystemMemory.total ?? 0
    let available = min(SystemMemory.available ?? memory, memory)
    let rates = [16, 8, 4].map { rate(bits: $0, on: pool) }
    return Machine(
      id: "this", name: ProcessorName.current, kind: .this, memory: memory,
      reserved: memory - available,
      bandwidth: rates.map(\.bytes).max() ?? 1, arithmetic: rates[0].operations, reached: reached,
      secondsABlock: secondsABlock, sources: ["measured now with Vise's own products"],
      cores: pool.threadCount, rates: rates)
  }

  private static func rate(bits: Int, on pool: WorkerPool) -> Machine.MeasuredRate {
    let large = weights(rows: bytesRead * 8 / bits / columns, bits: bits, on: pool)
    let small = weights(rows: rowsOfPrompt, bits: bits, on: pool)
    let one = vectors(1)
    let many = vectors(vectors)
    let reading = best { _ = pool.products(of: one, with: [large]) }
    let multiplying = best { _ = pool.products(of: many, with: [small]) }
    let stored = bits == 16 ? 16 : Double(bits) + 16 / Double(groupSize)
    return Machine.MeasuredRate(
      bits: stored, bytes: Double(large.rows * columns) * stored / 8 / reading,
      operations: Double(2 * rowsOfPrompt * columns * vectors) / multiplying)
  }

  /// Weights that are as quick to multiply as any.
  private static func weights(rows: Int, bits: Int, on pool: WorkerPool) -> LayerWeights {
    guard bits < 16 else {
      let one: UInt16 = 0x3c00
      return .dense(
        bits: Array(repeating: one, count: rows * columns), type: .float16, rows: rows,
        columns: columns)
    }
    let packed = PackedMatrix(
      rows: rows, columns: columns, bits: bits, groupSize: groupSize,
      codes: Array(repeating: 0x6a95_3c71, count: rows * ((columns * bits + 31) / 32)),
      scales: Array(repeating: 0x2000, count: rows * (columns / groupSize)), scaleType: .float16,
      zeros: .symmetric)
    return .packed(packed.tiled(on: pool))
  }

  private static func vectors(_ count: Int) -> Matrix {
    let values = (0..<count * columns).map { Float($0 % 13) - 6 }
    return Matrix(rows: count, columns: columns, values: values)
  }

  /// Seconds of the quickest of some rounds.
  private static func best(_ work: () -> Void) -> Double {
    let clock = ContinuousClock()
    return (0..<rounds).map { _ in clock.measure(work) / .seconds(1) }.min() ?? 1
  }
}
