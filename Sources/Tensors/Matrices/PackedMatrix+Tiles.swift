import CKernels

extension PackedMatrix {
  /// The same matrix in the form in which its codes multiply fastest.
  ///
  /// - Parameter pool: The threads that share the work.
  /// - Returns: The matrix itself where that form has no room for its groups.
  public func tiled(on pool: WorkerPool? = nil) -> PackedMatrix {
    guard case .rows(let held) = form else { return self }
    var layout = Tiles.Layout(rows: rows, columns: columns, bits: bits, groupSize: groupSize)
    layout.scaleType = scaleType
    switch held.zeros {
    case .symmetric: layout.zero = Float(1 << (bits - 1))
    case .points: layout.hasPoints = true
    case .minimums: layout.hasMinimums = true
    }
    guard layout.isPossible else { return self }
    let (words, groups) = (wordsPerRow, groupsPerRow)
    let tiles = Tiles(layout, on: pool) { [columns, bits] _, rows, destination in
      let scratchSize = vk_tile_scratch(columns)
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: scratchSize) { scratch in
        held.codes.withUnsafeBufferPointer { codes in
          guard let start = codes.baseAddress else { return }
          vk_tile_words(
            Kernels.level, start + rows.lowerBound * words, rows.count, columns, UInt32(bits),
            scratch.baseAddress, destination.codes)
        }
      }
      destination.scales.transpose(held.scales, rows, groups)
      switch held.zeros {
      case .symmetric: break
      case .points(let points): destination.points?.transpose(points, rows, groups)
      case .minimums(let minimums): destination.minimums?.transpose(minimums, rows, groups)
      }
    }
    return PackedMatrix(tiles.withoutZeros(on: pool))
  }
}

extension UnsafeMutablePointer {
  /// Writes what some rows have for each group, the rows of a tile side by side.
  fileprivate func transpose(_ values: [Pointee], _ rows: Range<Int>, _ groups: Int) {
    for (lane, row) in rows.enumerated() {
      for group in 0..<groups {
        self[group * VK_TILE_ROWS + lane] = values[row * groups + group]
      }
    }
  }
}

extension Tiles {
  /// The parts of a packed matrix, row after row.
  var packedRows: PackedMatrix.Rows {
    let codes = PackedMatrix.pack(
      codes: codes(ofRows: 0..<layout.rows), rows: layout.rows, columns: layout.columns,
      bits: layout.bits)
    return PackedMatrix.Rows(codes: codes, scales: packedScales, zeros: packedZeros)
  }

  var packedScales: [UInt16] {
    rowMajor(view.scales, count: layout.scales, kept: layout.columns / layout.groupSize)
  }

  var packedZeros: ZeroPoints {
    let kept = layout.columns / layout.groupSize
    if let points = view.points {
      return .points(rowMajor(points, count: layout.groups, kept: kept))
    }
    if let minimums = view.minimums {
      return .minimums(rowMajor(minimums, count: layout.scales, kept: kept))
    }
    return .symmetric
  }
}
