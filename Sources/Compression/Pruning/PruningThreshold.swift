import Tensors

/// Which weights of a layer magnitude pruning zeroes: all below a magnitude, and of those that have
/// it exactly the ones that come first.
struct PruningThreshold: Hashable, Sendable {
  /// The bits of the magnitude; magnitudes sort like their bits.
  let bits: UInt32
  /// Place in the layer, row by row, before which weights of this magnitude go too.
  let position: Int

  /// Zeroes the weights of a row that are to go.
  ///
  /// - Parameters:
  ///   - matrix: a slice of the layer.
  ///   - row: a row of the slice.
  ///   - layerRow: the row of the layer that it is.
  func prune(_ matrix: inout Matrix, row: Int, layerRow: Int) {
    let columns = matrix.columns
    let ties = min(columns, max(0, position - layerRow * columns))
    let start = row * columns
    for index in start..<start + ties where Self.bits(of: matrix.values[index]) <= bits {
      matrix.values[index] = 0
    }
    for index in start + ties..<start + columns where Self.bits(of: matrix.values[index]) < bits {
      matrix.values[index] = 0
    }
  }

  static func bits(of weight: Float) -> UInt32 { weight.bitPattern & 0x7fff_ffff }
}

extension PruningThreshold {
  /// About the threshold that zeroes `count` weights, without reading the layer; exact for BF16 but
  /// for the place of ties.
  static func estimated(
    zeroing count: Int, profile: RowProfile, shape: LayerShape
  ) -> PruningThreshold {
    let place = profile.magnitudes.place(ofRank: count)
    let share = place.inside > 0 ? Double(count - place.below) / Double(place.inside) : 0
    let lower = UInt32(place.step) << 16
    if shape.type == .bfloat16 {
      let weights = Double(shape.rows * shape.columns)
      return PruningThreshold(bits: lower, position: Int(share * weights))
    }
    return PruningThreshold(bits: lower + UInt32(share * 65535), position: 0)
  }
}

/// Finds the exact threshold for a number of zeros, in slices.
///
/// The profile tells the step of 1/128 octave that holds the threshold. One pass counts the lower
/// bits of the magnitudes in that step, another one finds where enough ties have been seen.
struct ThresholdSelector: Sendable {
  private let matrix: LayerWeights
  private let step: Int
  /// Weights in the threshold's step that are to go.
  private let wanted: Int
  private var counts = [UInt32](repeating: 0, count: 1 << 16)
  private var countedRows = 0
  private var bits: UInt32?
  private var tiesLeft = 0
  private var searchedRows = 0
  private(set) var threshold: PruningThreshold?

  init(matrix: LayerWeights, profile: RowProfile, zeroing count: Int) {
    self.matrix = matrix
    let place = profile.magnitudes.place(ofRank: count)
    step = place.step
    wanted = count - place.below
  }

  var completedRows: Int { threshold == nil ? countedRows + searchedRows : totalRows }
  var totalRows: Int { 2 * matrix.rows }

  /// Reads at most `rows` more rows.
  mutating func step(rows: Int) {
    guard threshold == nil else { return }
    if let bits = bits {
      let end = min(matrix.rows, searchedRows + max(1, rows))
      findPosition(in: matrix.decoded(rows: searchedRows..<end), bits: bits)
      searchedRows = end
    } else {
      let end = min(matrix.rows, countedRows + max(1, rows))
      for weight in matrix.decoded(rows: countedRows..<end).values
      where MagnitudeTable.step(of: weight) == step {
        counts[Int(weight.bitPattern & 0xffff)] &+= 1
      }
      countedRows = end
      if countedRows == matrix.rows { chooseMagnitude() }
    }
  }

  private mutating func chooseMagnitude() {
    var below = 0
    var low = 0
    while low < counts.count - 1, below + Int(counts[low]) <= wanted {
      below += Int(counts[low])
      low += 1
    }
    bits = UInt32(step) << 16 | UInt32(low)
    tiesLeft = wanted - below
    settle(at: 0)
  }

  private mutating func findPosition(in slice: Matrix, bits: UInt32) {
    let start = searchedRows * matrix.columns
    for (offset, weight) in slice.values.enumerated()
    where PruningThreshold.bits(of: weight) == bits {
      tiesLeft -= 1
      if tiesLeft == 0 { return settle(at: start + offset + 1) }
    }
  }

  private mutating func settle(at position: Int) {
    guard tiesLeft == 0, let bits = bits else { return }
    threshold = PruningThreshold(bits: bits, position: position)
  }
}
