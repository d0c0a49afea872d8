import Tensors

/// How the zeros of a sample are given.
enum ZeroKind: CaseIterable { case symmetric, points, minimums }

/// A packed matrix of random codes with the plain Swift twin of its decoding.
struct PackedSample {
  let matrix: PackedMatrix
  /// rows x columns codes, one each.
  let codes: [UInt8]

  init(
    rows: Int, columns: Int, bits: Int, group: Int, zeros kind: ZeroKind,
    scaleType: ElementType = .float16, seed: Int = 1
  ) {
    var noise = Noise(seed: seed &+ bits * 1000 &+ columns)
    let mask = UInt8(truncatingIfNeeded: (1 << bits) - 1)
    codes = noise.bytes(rows * columns).map { $0 & mask }
    let words = (columns * bits + 31) / 32
    var packed = [UInt32](repeating: 0, count: rows * words)
    for row in 0..<rows {
      for column in 0..<columns {
        for bit in 0..<bits where codes[row * columns + column] >> bit & 1 == 1 {
          let place = column * bits + bit
          packed[row * words + place / 32] |= 1 << UInt32(place % 32)
        }
      }
      // Bits that only fill the last word are anything.
      for place in columns * bits..<words * 32 where noise.bits() & 64 == 0 {
        packed[row * words + place / 32] |= 1 << UInt32(place % 32)
      }
    }
    let groups = rows * (columns / group)
    let scales = noise.values(groups).map { 0.01 * $0 }.halves(scaleType)
    let zeros: ZeroPoints =
      switch kind {
      case .symmetric: .symmetric
      case .points: .points(noise.bytes(groups).map { $0 & mask })
      case .minimums: .minimums(noise.values(groups).halves(.float16))
      }
    matrix = PackedMatrix(
      rows: rows, columns: columns, bits: bits, groupSize: group, codes: packed, scales: scales,
      scaleType: scaleType, zeros: zeros)
  }

  /// One row as the definition of a packed matrix has it.
  func decoded(row: Int) -> [Float] {
    (0..<matrix.columns).map { column in
      let code = codes[row * matrix.columns + column]
      let group = row * matrix.groupsPerRow + column / matrix.groupSize
      let scale = matrix.scales[group].value(matrix.scaleType)
      switch matrix.zeros {
      case .symmetric: return Float(Int(code) - (1 << (matrix.bits - 1))) * scale
      case .points(let points): return Float(Int(code) - Int(points[group])) * scale
      case .minimums(let minimums): return Float(code) * scale + minimums[group].value(.float16)
      }
    }
  }

  /// What each code of a row may amount to at most, its zero apart.
  func codeMagnitudes(row: Int) -> [Double] {
    let (groups, scales) = (matrix.groupsPerRow, matrix.scales)
    return (0..<matrix.columns).map { column in
      let group = row * groups + column / matrix.groupSize
      var magnitude =
        Double(1 << matrix.bits) * abs(Double(scales[group].value(matrix.scaleType)))
      if case .minimums(let minimums) = matrix.zeros {
        magnitude += abs(Double(minimums[group].value(.float16)))
      }
      return magnitude
    }
  }
}
