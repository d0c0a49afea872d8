import Tensors

/// Finds, in slices, the magnitudes that the rows of a layer share under a float format.
struct SharedRangePass: Sendable {
  private let matrix: LayerWeights
  private let scales: ChannelScales
  private var found: SharedRanges
  private(set) var completedRows = 0

  /// Prepares to read a layer; nil for schemes under which rows share nothing.
  init?(_ scheme: Scheme, matrix: LayerWeights, scales: ChannelScales) {
    guard let format = scheme.quantization?.float,
      let none = SharedRanges(format, rows: matrix.rows, columns: matrix.columns)
    else { return nil }
    self.matrix = matrix
    self.scales = scales
    found = none
  }

  /// Reads at most `rows` more rows, as their scales make them; zeros that are yet to come change little of a range.
  mutating func step(rows: Int) {
    let end = min(matrix.rows, completedRows + max(1, rows))
    var slice = matrix.decoded(rows: completedRows..<end)
    scales.apply(to: &slice, layerRows: Array(completedRows..<end))
    found.add(slice)
    completedRows = end
  }

  /// The magnitudes, once all rows are read; nil before.
  var ranges: SharedRanges? { completedRows == matrix.rows ? found : nil }
}
