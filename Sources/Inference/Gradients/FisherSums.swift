import Compression
import Tensors

/// The sums of one layer's ``LayerFisher``, over tokens.
struct FisherSums: Sendable {
  private var inputs: [Double]
  private var outputs: [Double]
  private var trace = 0.0
  /// The part of `trace` that looked up rows have.
  private var lookups = 0.0

  init(rows: Int, columns: Int) {
    inputs = Array(repeating: 0, count: columns)
    outputs = Array(repeating: 0, count: rows)
  }

  /// Adds tokens that the layer, or an expert of it, multiplied.
  ///
  /// - Parameters:
  ///   - x: The layer's input, a token a row.
  ///   - gradients: The gradients at its output, perhaps beside those of other layers.
  ///   - columns: The layer's gradients among them; nil for all.
  ///   - row: The first of the layer's rows that these are the gradients of.
  ///   - pool: The threads that share the columns.
  /// - Returns: The energy of each token's gradient.
  mutating func add(
    inputs x: Matrix, gradients: Matrix, columns: Range<Int>? = nil, row: Int = 0,
    on pool: WorkerPool
  ) -> [Double] {
    let columns = columns ?? 0..<gradients.columns
    let inputEnergies = x.energies(columns: 0..<x.columns)
    let gradientEnergies = gradients.energies(columns: columns)
    pool.addWeightedSquares(
      of: x, columns: 0..<x.columns, weights: gradientEnergies, to: &inputs)
    var part = Array(outputs[row..<row + columns.count])
    pool.addWeightedSquares(of: gradients, columns: columns, weights: inputEnergies, to: &part)
    outputs.replaceSubrange(row..<row + columns.count, with: part)
    trace += zip(inputEnergies, gradientEnergies).reduce(0) { $0 + $1.0 * $1.1 }
    return gradientEnergies
  }

  /// Adds tokens whose rows were looked up: the input of a token is one at its row.
  mutating func add(lookups tokens: [Int], gradients: Matrix, on pool: WorkerPool) {
    let energies = gradients.energies(columns: 0..<gradients.columns)
    pool.addWeightedSquares(
      of: gradients, columns: 0..<gradients.columns,
      weights: Array(repeating: 1, count: gradients.rows), to: &inputs)
    for (token, energy) in zip(tokens, energies) {
      outputs[token] += energy
      trace += energy
      lookups += energy
    }
  }

  /// The means over `tokens` tokens.
  func fisher(tokens: Int) -> LayerFisher {
    let count = Double(tokens)
    return LayerFisher(
      tokens: tokens, inputs: inputs.map { Float($0 / count) },
      outputs: outputs.map { Float($0 / count) }, trace: trace / count,
      lookupShare: trace > 0 ? lookups / trace : 0)
  }
}
