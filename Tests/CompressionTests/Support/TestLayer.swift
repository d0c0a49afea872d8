@testable import Compression
import Foundation
import Tensors
import TestSupport

/// A layer in memory with all that compressing it takes.
struct TestLayer {
  let matrix: LayerWeights
  let shape: LayerShape

  /// A layer of weights given as stored bytes; nil if they do not fill the shape.
  init?(
    name: String = "layer", bytes: [UInt8], type: ElementType, rows: Int, columns: Int,
    count: Int = 1
  ) {
    guard
      let matrix = StoredMatrix(
        storage: ByteStorage(copying: bytes), offset: 0, type: type, rows: rows, columns: columns)
    else { return nil }
    self.matrix = .stored(matrix)
    shape = LayerShape(name: name, rows: rows, columns: columns, type: type, count: count)
  }

  /// A layer of single-precision weights, or a stack of `count` matrices of such.
  init?(name: String = "layer", _ weights: Matrix, count: Int = 1) {
    let bytes = weights.values.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
    self.init(
      name: name, bytes: bytes, type: .float32, rows: weights.rows, columns: weights.columns,
      count: count)
  }

  /// Compresses the whole layer, `step` rows at a time.
  func compressed(
    _ scheme: Scheme, step: Int = 3, profile: RowProfile? = nil,
    statistics: InputStatistics? = nil, factor: HessianFactor? = nil,
    scales: ChannelScales = .none, pool: WorkerPool? = nil
  ) throws -> (layer: CompressedLayer, report: LayerReport)? {
    var compressor = try LayerCompressor(
      matrix: matrix, shape: shape, scheme: scheme, profile: profile, statistics: statistics,
      factor: factor, scales: scales, pool: pool)
    while !compressor.isFinished { try compressor.step(rows: step) }
    return compressor.finish(original: matrix.byteCount)
  }

  func profile() throws -> RowProfile? {
    var profiler = RowProfiler(matrix: matrix, layer: shape.name)
    while !profiler.isFinished { try profiler.step(rows: 7) }
    return profiler.finish()
  }
}

extension Matrix {
  /// Weights of rows whose sizes differ a lot, with some outliers: what real layers look like.
  static func heavyTailed(rows: Int, columns: Int, seed: UInt64) -> Matrix {
    var random = SeededRandom(seed: seed)
    var matrix = Matrix(rows: rows, columns: columns)
    for row in 0..<rows {
      let size = exp(normal(using: &random))
      for column in 0..<columns {
        let tail = max(0.2, abs(normal(using: &random)))
        matrix[row, column] = 0.02 * size * normal(using: &random) / tail
      }
    }
    return matrix
  }

  /// About normally distributed: a sum of twelve uniform numbers.
  private static func normal(using random: inout SeededRandom) -> Float {
    (0..<12).reduce(Float(-6)) { sum, _ in sum + Float.random(in: 0..<1, using: &random) }
  }
}

extension InputStatistics {
  /// The statistics that a Gram matrix holds.
  init(gram: Matrix, tokens: Int = 1) {
    self.init(
      tokens: tokens, means: Array(repeating: 0, count: gram.columns),
      secondMoments: (0..<gram.columns).map { gram[$0, $0] }, gram: gram)
  }
}

extension Matrix {
  /// E[x x^T] of `count` inputs, channels of very different size.
  static func gram(columns: Int, count: Int, seed: UInt64) -> Matrix {
    var random = SeededRandom(seed: seed)
    let sizes = (0..<columns).map { _ in Float.random(in: 0.1...2, using: &random) }
    var inputs = (0..<count * columns).map { _ in Float.random(in: -1...1, using: &random) }
    for place in inputs.indices.dropFirst() where place % columns % 3 != 0 {
      inputs[place] += 0.7 * inputs[place - 1]
    }
    for place in inputs.indices { inputs[place] *= sizes[place % columns] }
    var sum = GramSum(columns: columns)
    sum.add(
      Matrix(rows: count, columns: columns, values: inputs), on: WorkerPool(threads: 1))
    return sum.mean()
  }
}
