import Compression
import Inference
import Tensors
import Work

/// How fast layers are compressed here, found by compressing small ones of noise.
public struct CompressionSpeed {
  /// Seconds for each token and each pair of its channels that second moments are summed of.
  public let perPair: Double
  /// Seconds for each cube of the channels that a Hessian is factored of.
  public let perCube: Double
  /// Seconds of a scheme for a weight, and for a weight and a column of its row.
  private struct Rate {
    let perWeight: Double, perColumn: Double
  }

  private static let rows = 96
  /// Columns of the small layers, of which the larger tells what grows with them.
  private static let columns = (less: 256, more: 1024)

  private let pool: WorkerPool
  private let gram: InputStatistics
  private let now: () -> Duration
  private var rates: [Scheme: Rate] = [:]
  private var factors: [FactorKey: HessianFactor] = [:]

  private struct FactorKey: Hashable {
    let columns: Int, order: HessianFactor.Order
  }

  /// - Parameters:
  ///   - pool: Threads that share the work.
  ///   - now: Time since any fixed moment.
  public init(on pool: WorkerPool, now: @escaping () -> Duration) {
    (self.pool, self.now) = (pool, now)
    let (count, columns) = (256, Self.columns.more)
    let inputs = Self.noise(rows: count, columns: columns)
    var sum = GramSum(columns: columns)
    sum.add(inputs, on: pool)
    let pairs = Self.seconds(now) { sum.add(inputs, on: pool) }
    perPair = pairs / Double(count) / Double(columns * columns)
    let mean = sum.mean()
    gram = Self.statistics(mean)
    let cube = Self.seconds(now) { _ = Self.factor(of: mean, .falling) }
    perCube = cube / Double(columns * columns * columns)
  }

  /// Seconds to compress a layer so, its factor and the reading of its inputs not counted.
  ///
  /// - Parameters:
  ///   - scheme: What becomes of it.
  ///   - rows: Of it, or of the part that is compressed.
  ///   - columns: Of it.
  ///   - pace: Of finding out what is not known of the scheme yet.
  /// - Returns: The seconds; 0 for schemes that keep a layer.
  /// - Throws: ``WorkFailure`` when the pace ends it.
  public mutating func seconds(
    _ scheme: Scheme, rows: Int, columns: Int, pace: Pace
  ) throws(WorkFailure) -> Double {
    guard !scheme.keepsLayer else { return 0 }
    let rate: Rate
    if let known = rates[scheme] { rate = known } else { rate = try measured(scheme, pace) }
    rates[scheme] = rate
    let weights = Double(rows) * Double(columns)
    return weights * (rate.perWeight + rate.perColumn * Double(columns))
  }

  private mutating func measured(
    _ scheme: Scheme, _ pace: Pace
  ) throws(WorkFailure) -> Rate {
    let (less, more) = Self.columns
    let small = seconds(scheme, columns: less)
    try pace.tick(0)
    let large = seconds(scheme, columns: more)
    try pace.tick(1)
    // Seconds for a weight in rows of both lengths: a line through them.
    let weight = (small / Double(Self.rows * less), large / Double(Self.rows * more))
    let slope = max((weight.1 - weight.0) / Double(more - less), 0)
    return Rate(perWeight: max(weight.1 - slope * Double(more), 0), perColumn: slope)
  }

  /// Seconds that a layer of noise takes; 0 for schemes that no such layer holds.
  private mutating func seconds(_ scheme: Scheme, columns: Int) -> Double {
    let values = Self.noise(rows: Self.rows, columns: columns).values
    let matrix = StoredMatrix(
      copying: values.flatMap { value in
        let bits = value.bitPattern
        return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
      }, type: .float32, rows: Self.rows, columns: columns)
    let shape = LayerShape(name: "noise", rows: Self.rows, columns: columns, type: .float32)
    let statistics = Self.statistics(
      columns == gram.columns ? gram.gram : gram.gram?.leading(columns))
    do throws(CompressionError) {
      var factor: HessianFactor?
      if let order = scheme.sweepOrder, let gram = statistics.gram {
        let key = FactorKey(columns: columns, order: order)
        factor = factors[key] ?? Self.factor(of: gram, order)
        factors[key] = factor
      }
      var compressor = try LayerCompressor(
        matrix: .stored(matrix), shape: shape, scheme: scheme,
        statistics: statistics, factor: factor, pool: pool)
      var failure: CompressionError?
      let seconds = Self.seconds(now) {
        do throws(CompressionError) {
          while !compressor.isFinished { try compressor.step(rows: Self.rows) }
        } catch {
          failure = error
        }
      }
      return failure == nil ? seconds : 0
    } catch {
      return 0
    }
  }

  private static func factor(of gram: Matrix, _ order: HessianFactor.Order) -> HessianFactor? {
    var work = HessianFactorization(gram: gram, ordering: order)
    while !work.isFinished { work.step() }
    return work.finish()
  }

  private static func seconds(_ now: () -> Duration, _ work: () -> Void) -> Double {
    let started = now()
    work()
    return (now() - started) / .seconds(1)
  }

  private static func statistics(_ gram: Matrix?) -> InputStatistics {
    let columns = gram?.columns ?? 0
    return InputStatistics(
      tokens: 1000, means: Array(repeating: 0, count: columns),
      secondMoments: (0..<columns).map { gram?[$0, $0] ?? 1 }, gram: gram)
  }

  private static func noise(rows: Int, columns: Int) -> Matrix {
    var state: UInt32 = 1
    return Matrix(
      rows: rows, columns: columns,
      values: (0..<rows * columns).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return Float(Int32(bitPattern: state)) * 0x1p-31
      })
  }
}

extension Matrix {
  /// The first rows and columns of a square matrix.
  fileprivate func leading(_ count: Int) -> Matrix {
    Matrix(
      rows: count, columns: count, values: (0..<count).flatMap { row($0).prefix(count) })
  }
}
