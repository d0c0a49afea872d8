import Glibc
import Tensors

/// The search for AWQ's scales (arXiv 2306.00978) of the channels that some layers read.
///
/// Samples need not be replayed: with E[x x^T] the error of all outputs follows from that of the weights.
public struct AWQSearch: Sendable {
  /// A layer that reads the channels.
  public struct Layer: Sendable {
    let matrix: LayerWeights
    let shape: LayerShape
    let scheme: Scheme

    public init(matrix: LayerWeights, shape: LayerShape, scheme: Scheme) {
      self.matrix = matrix
      self.shape = shape
      self.scheme = scheme
    }
  }

  /// Exponents that are tried: 0, 1/20 and so on to 19/20.
  public static let exponents = 20
  /// Rows of each layer that are tried by default; more take longer and gain hardly anything.
  public static let defaultRows = 64

  private let layers: [Layer]
  private let statistics: InputStatistics
  private let gram: Matrix
  private let rowLimit: Int
  private let pool: WorkerPool?
  private var tried = 0
  /// The scales that are tried now; nil for ones.
  private var scales: [Float]?
  /// Layers that have been tried with them, and the error of these.
  private var triedLayers = 0
  private var loss = 0.0
  /// The best scales so far; nil for ones.
  private var best: [Float]?
  private var least = Double.infinity

  /// Prepares to search.
  ///
  /// - Parameters:
  ///   - layers: all layers that read the channels, with what is to become of them; not empty.
  ///   - statistics: of the channels.
  ///   - rows: how many rows of each layer are tried, spread evenly.
  ///   - pool: threads that share the work.
  /// - Throws: ``CompressionError`` without a Gram matrix of the channels.
  public init(
    layers: [Layer], statistics: InputStatistics, rows: Int = AWQSearch.defaultRows,
    pool: WorkerPool? = nil
  ) throws(CompressionError) {
    guard let gram = statistics.gram else {
      throw CompressionError(
        layer: layers.first?.shape.name ?? "",
        reason: "awq needs the Gram matrix of the layer's inputs; calibrate first, "
          + "an imatrix is not enough")
    }
    self.layers = layers
    self.statistics = statistics
    self.gram = gram
    rowLimit = max(1, rows)
    self.pool = pool
  }

  public var isFinished: Bool { tried == Self.exponents }

  /// Share of the work that is done, from 0 to 1.
  public var progress: Double {
    let layer = Double(triedLayers) / Double(max(layers.count, 1))
    return (Double(tried) + layer) / Double(Self.exponents)
  }

  /// Tries an exponent on the next layer.
  ///
  /// - Throws: ``CompressionError`` when a scheme does not fit its layer.
  public mutating func step() throws(CompressionError) {
    guard !isFinished else { return }
    if triedLayers == 0 {
      scales = tried == 0 ? nil : Self.scales(statistics, exponent: exponent)
      loss = 0
    }
    if triedLayers < layers.count { loss += try loss(of: layers[triedLayers]) }
    triedLayers += 1
    guard triedLayers >= layers.count else { return }
    (tried, triedLayers) = (tried + 1, 0)
    if loss < least { (least, best) = (loss, scales) }
  }

  /// What each column of the layers' weights is to be multiplied by, once ``isFinished``; nil for ones.
  public func finish() -> [Float]? { isFinished ? best : nil }

  private var exponent: Float { Float(tried) / Float(Self.exponents) }

  /// Powers of the inputs' root mean squares, whose largest and smallest are each other's inverses.
  static func scales(_ statistics: InputStatistics, exponent: Float) -> [Float] {
    let roots = Wanda.factors(secondMoments: statistics.secondMoments)
    let powers = roots.map { max(powf($0, exponent), 1e-4) }
    let middle = ((powers.max() ?? 1) * (powers.min() ?? 1)).squareRoot()
    return powers.map { $0 / middle }
  }

  /// The mean squared error of all outputs of a layer, estimated from some rows.
  private func loss(of layer: Layer) throws(CompressionError) -> Double {
    var scheme = layer.scheme
    // A sweep for every exponent would be slow, and moves all of them alike.
    if scheme.sparsity?.method == .sparsegpt { scheme.sparsity = nil }
    let trial = try LayerTrial(
      matrix: layer.matrix, shape: layer.shape, scheme: scheme, statistics: statistics,
      scales: ChannelScales(columns: scales))
    let count = min(rowLimit, layer.shape.rows)
    let parts = min(pool?.threadCount ?? 1, count)
    let loss: @Sendable (Int) -> Double = { [gram] part in
      let rows = (part * count / parts..<(part + 1) * count / parts)
        .map { $0 * layer.shape.rows / count }
      let (before, after) = trial.compressed(rows: rows)
      let errors = Matrix(
        rows: rows.count, columns: before.columns,
        values: zip(before.values, after.values).map { $0 - $1 })
      return errors.quadraticForms(gram).reduce(0, +)
    }
    let sum = (pool?.map(count: parts, loss) ?? (0..<parts).map(loss)).reduce(0, +)
    return sum * Double(layer.shape.rows) / Double(count)
  }
}
