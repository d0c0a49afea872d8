/// The matrices of a stack.
extension [LayerWeights] {
  /// The type of all; F32, which holds every one, when they differ.
  var commonType: ElementType {
    guard let type = first?.type, allSatisfy({ $0.type == type }) else { return .float32 }
    return type
  }

  /// The given rows in the given order, decoded.
  func decoded(rows indices: [Int]) -> Matrix {
    let values = runs(of: indices).flatMap { $0.member.decoded(rows: $0.rows).values }
    return Matrix(rows: indices.count, columns: first?.columns ?? 0, values: values)
  }

  /// A copy of some rows and columns, in the given order; nil takes all.
  func selecting(rows: [Int]?, columns: [Int]?) -> LayerWeights {
    let parts =
      rows.map { rows in
        runs(of: rows).map { $0.member.selecting(rows: $0.rows, columns: columns) }
      } ?? map { $0.selecting(rows: nil, columns: columns) }
    return parts.count == 1 ? parts[0] : .stack(parts)
  }

  /// Consecutive rows of the same matrix together, counted within it.
  private func runs(of indices: [Int]) -> [(member: LayerWeights, rows: [Int])] {
    let starts = reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.rows) }
    var runs: [(place: Int, rows: [Int])] = []
    for row in indices {
      let place = starts.lastIndex { $0 <= row } ?? count
      precondition(place < count, "row outside the stack")
      if runs.last?.place != place { runs.append((place, [])) }
      runs[runs.count - 1].rows.append(row - starts[place])
    }
    return runs.map { (self[$0.place], $0.rows) }
  }
}

extension LayerWeights {
  /// Some of the equally many rows that each of `count` parts has, one below the other, such as experts.
  ///
  /// Parts that are stored stay where they are.
  /// - Precondition: the rows are as many for each part, and all `kept` are parts.
  public func selecting(parts kept: [Int], of count: Int) -> LayerWeights {
    precondition(count > 0 && rows % count == 0, "parts of equally many rows")
    let size = rows / count
    if case .stack(let members) = self, members.count == count {
      return .stack(kept.map { members[$0] })
    }
    if case .stored(let matrix) = self {
      let parts = kept.compactMap { matrix.part(rows: $0 * size..<($0 + 1) * size) }
      if parts.count == kept.count { return .stack(parts.map { .stored($0) }) }
    }
    return selecting(rows: kept.flatMap { $0 * size..<($0 + 1) * size }, columns: nil)
  }
}

extension LayerWeights {
  /// The same weights in one matrix: these themselves unless they are a stack.
  ///
  /// Matrices that are held alike are copied, bytes, codes and scales as they are; others are decoded to F32.
  public func joined() -> LayerWeights {
    guard case .stack(let members) = self else { return self }
    precondition(!members.isEmpty, "a stack has matrices")
    let parts = members.map { $0.joined() }
    if let matrix = StoredMatrix(joining: parts) { return .stored(matrix) }
    if let matrix = PackedMatrix(joining: parts) { return .packed(matrix) }
    if let matrix = FloatMatrix(joining: parts) { return .floats(matrix) }
    let values = parts.flatMap { $0.decoded().values }
    return .stored(
      StoredMatrix(
        copying: values.withUnsafeBytes { Array($0) }, type: .float32, rows: rows,
        columns: columns))
  }
}

extension StoredMatrix {
  /// Matrices of one type, one below the other in plain row order; nil when they are held otherwise.
  fileprivate init?(joining parts: [LayerWeights]) {
    var bytes: [UInt8] = []
    let type = parts.commonType
    for part in parts {
      guard case .stored(let matrix) = part, matrix.type == type else { return nil }
      bytes += matrix.bytes(in: .plain)
    }
    self.init(
      copying: bytes, type: type, rows: parts.reduce(0) { $0 + $1.rows },
      columns: parts.first?.columns ?? 0)
  }
}

extension PackedMatrix {
  /// Matrices of one kind of codes, one below the other; nil when they are held otherwise.
  fileprivate init?(joining parts: [LayerWeights]) {
    guard case .packed(let first)? = parts.first else { return nil }
    var (codes, scales, points, minimums) = ([UInt32](), [UInt16](), [UInt8](), [UInt16]())
    for part in parts {
      guard case .packed(let matrix) = part, matrix.bits == first.bits,
        matrix.groupSize == first.groupSize, matrix.scaleType == first.scaleType
      else { return nil }
      codes += matrix.codes
      scales += matrix.scales
      switch (first.zeros, matrix.zeros) {
      case (.symmetric, .symmetric): break
      case (.points, .points(let more)): points += more
      case (.minimums, .minimums(let more)): minimums += more
      default: return nil
      }
    }
    let zeros: ZeroPoints =
      switch first.zeros {
      case .symmetric: .symmetric
      case .points: .points(points)
      case .minimums: .minimums(minimums)
      }
    self.init(
      rows: parts.reduce(0) { $0 + $1.rows }, columns: first.columns, bits: first.bits,
      groupSize: first.groupSize, codes: codes, scales: scales, scaleType: first.scaleType,
      zeros: zeros)
  }
}

extension FloatMatrix {
  /// Matrices of one format and divisor, one below the other; nil when they are held otherwise.
  ///
  /// Rows that share scales must not come to do so with those of the next matrix.
  fileprivate init?(joining parts: [LayerWeights]) {
    guard case .floats(let first)? = parts.first else { return nil }
    var (codes, scales, rows) = ([UInt8](), [UInt16](), 0)
    for part in parts {
      guard case .floats(let matrix) = part, matrix.format == first.format,
        matrix.divisor == first.divisor, matrix.type == first.type,
        rows % first.format.rowsAScale == 0
      else { return nil }
      codes += matrix.codes
      scales += matrix.scales
      rows += matrix.rows
    }
    self.init(
      rows: rows, columns: first.columns, format: first.format, codes: codes, scales: scales,
      divisor: first.divisor, type: first.type)
  }
}
