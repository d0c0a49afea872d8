import CKernels

/// The largest magnitudes that a float format takes from more than a row's own group.
public struct SharedRanges: Hashable, Sendable {
  /// Rows by columns of the rectangles that have one magnitude each.
  let rows: Int
  let columns: Int
  /// By rectangles, row after row.
  private(set) var magnitudes: [Float] = []
  private var rowCount = 0

  /// No rows yet; nil for formats whose scales depend on nothing but their own group.
  ///
  /// - Parameters:
  ///   - format: what the magnitudes are for.
  ///   - rows: of the layer.
  ///   - columns: of the layer.
  public init?(_ format: FloatFormat, rows: Int, columns: Int) {
    switch format {
    case .fp8, .mxfp4: return nil
    case .nvfp4: (self.rows, self.columns) = (rows, columns)
    case .fp8Block: (self.rows, self.columns) = (format.rowsAScale, format.groupSize ?? columns)
    }
  }

  /// Takes in the layer's next rows.
  public mutating func add(_ slice: Matrix) {
    let across = (slice.columns + columns - 1) / columns
    for row in 0..<slice.rows {
      if rowCount % rows == 0 { magnitudes += Array(repeating: 0, count: across) }
      let first = rowCount / rows * across
      for (place, begin) in stride(from: 0, to: slice.columns, by: columns).enumerated() {
        let start = row * slice.columns
        let part = slice.values[start + begin..<start + min(begin + columns, slice.columns)]
        let largest = part.reduce(0) { max($0, abs($1)) }
        magnitudes[first + place] = max(magnitudes[first + place], largest)
      }
      rowCount += 1
    }
  }

  /// The magnitudes of the rectangles that a row lies in.
  func magnitudes(ofRow row: Int, columns: Int) -> ArraySlice<Float> {
    let across = (columns + self.columns - 1) / self.columns
    let first = row / rows * across
    return magnitudes[first..<first + across]
  }
}

/// The scales of some rows of a layer in a float format, fixed before any code is chosen.
///
/// The arithmetic is that of compressed-tensors in single precision.
public struct FloatGrid: Sendable {
  public let rows: Int
  public let columns: Int
  public let format: FloatFormat
  /// rows x groups, as ``FloatMatrix/scales`` has them.
  public let scales: [UInt16]
  /// What all scales are divided by.
  public let divisor: Float
  /// The 16-bit type of the weights, as ``FloatMatrix/type``.
  public let type: ElementType

  /// Finds the scales of a layer's rows.
  ///
  /// At a scale of the extremes, the largest magnitude is the largest code; MXFP4 rounds magnitudes below 1.75 of a power
  /// of two down to it, so that some weights are cut off. A search, in formats of 4 bits, takes the least squared
  /// error of all scales from half to twice that.
  ///
  /// - Parameters:
  ///   - matrix: finite weights.
  ///   - format: one that fits the columns.
  ///   - layerRows: which rows of the layer they are.
  ///   - ranges: of the whole layer, for formats that need them.
  ///   - fit: how scales are found.
  ///   - importance: what a squared error in each column counts, to a search; nil counts all alike.
  ///   - type: F16 or BF16, which FP8's scales have.
  public init(
    fitting matrix: Matrix, format: FloatFormat, layerRows: [Int], ranges: SharedRanges?,
    fit: RangeFit, importance: [Float]? = nil, type: ElementType
  ) {
    precondition(FloatFormat.fitting(columns: matrix.columns).contains(format), "whole groups")
    precondition(layerRows.count == matrix.rows, "a row of the layer for each row")
    precondition(importance.map { $0.count == matrix.columns } ?? true, "one weight a column")
    rows = matrix.rows
    columns = matrix.columns
    self.format = format
    self.type = format.bits == 8 ? type : .bfloat16
    divisor = format == .nvfp4 ? Self.divisor(ofLargest: ranges?.magnitudes.first ?? 0) : 1
    let groups = format.groups(inRowOf: columns)
    var view = format.kernelRow(columns: columns, divisor: divisor, type: self.type)
    let shared =
      format == .fp8Block
      ? ranges.map { ranges in
        layerRows.flatMap { ranges.magnitudes(ofRow: $0, columns: matrix.columns) }
      } : nil
    let count = matrix.rows * groups
    scales = [UInt16](unsafeUninitializedCapacity: count) { scales, initialized in
      matrix.values.withUnsafeBufferPointer { weights in
        importance.withPointer { importance in
          shared.withPointer { shared in
            guard let weights = weights.baseAddress, let scales = scales.baseAddress else { return }
            for row in 0..<matrix.rows {
              vk_fit_floats(
                Kernels.level, &view, fit == .leastError ? 1 : 0, weights + row * matrix.columns,
                importance, shared.map { $0 + row * groups }, scales + row * groups)
            }
          }
        }
      }
      initialized = count
    }
  }

  /// The codes nearest to the weights of a matrix of the grid's shape, half to even.
  public func nearest(_ matrix: Matrix) -> FloatMatrix {
    precondition(matrix.rows == rows && matrix.columns == columns, "another shape than the grid's")
    let (width, groups) = (format.codeBytes(inRowOf: columns), format.groups(inRowOf: columns))
    var view = format.kernelRow(columns: columns, divisor: divisor, type: type)
    let codes = [UInt8](unsafeUninitializedCapacity: rows * width) { codes, initialized in
      matrix.values.withUnsafeBufferPointer { weights in
        scales.withUnsafeBufferPointer { scales in
          guard let weights = weights.baseAddress, let scales = scales.baseAddress,
            let codes = codes.baseAddress
          else { return }
          for row in 0..<rows {
            vk_nearest_floats(
              Kernels.level, &view, scales + row * groups, weights + row * columns,
              codes + row * width)
          }
        }
      }
      initialized = rows * width
    }
    return FloatMatrix(
      rows: rows, columns: columns, format: format, codes: codes, scales: scales,
      divisor: divisor, type: type)
  }

  /// What scales of NVFP4 are divided by in layers whose largest magnitude lies between 1/256 and 8.
  ///
  /// vLLM divides by one number for q, k and v, or gate and up, whatever their own are: so it is the same for all usual
  /// layers, in the middle of E4M3's range.
  public static let usualDivisor: Float = 256

  /// What NVFP4's scales are multiplied by before they are rounded to E4M3.
  ///
  /// Unusual layers have a power of two that leaves their largest magnitude room; scales, being floats, lose nothing.
  private static func divisor(ofLargest magnitude: Float) -> Float {
    let usual: ClosedRange<Float> = 0x1p-8...8
    guard magnitude > 0, !usual.contains(magnitude) else { return usualDivisor }
    return Float(sign: .plus, exponent: min(8 - magnitude.exponent, 100), significand: 1)
  }
}
