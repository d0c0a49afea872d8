import CKernels
import Testing

@testable import Tensors

/// Every variant of the kernels of tiles against the definition of a packed matrix.
struct TileKernelTests {
  /// Columns and group sizes: halves of units, units, several, whole rows; last units that are half empty.
  static let shapes = [
    (64, 64), (576, 64), (96, 32), (160, 32), (48, 16), (16, 16), (256, 16), (192, 96), (256, 128),
    (288, 288),
  ]
  /// More than a tile, and part of one.
  private static let rows = 19
  /// More than a block of vectors, and part of one.
  private static let tokens = 9

  @Test(arguments: 1...8, ZeroKind.allCases)
  func tilesHoldWhatRowsHold(bits: Int, zeros: ZeroKind) {
    for (columns, group) in Self.shapes {
      let type: ElementType = columns % 3 == 0 ? .bfloat16 : .float16
      let sample = PackedSample(
        rows: Self.rows, columns: columns, bits: bits, group: group, zeros: zeros, scaleType: type)
      let expected = (0..<Self.rows).flatMap { sample.decoded(row: $0) }
      let tiled = sample.matrix.tiled(on: WorkerPool(threads: 2))
      #expect(tiled.unpackedCodes() == sample.codes)
      #expect(tiled.scales == sample.matrix.scales && tiled.zeros == sample.matrix.zeros)
      #expect(tiled.byteCount == sample.matrix.byteCount)
      #expect(tiled.decoded().values.map(\.bitPattern) == expected.map(\.bitPattern))
      #expect(
        tiled.decoded(rows: [17, 2]).row(0).elementsEqual(
          expected[(17 * columns)...].prefix(columns)))
      guard let tiles = LayerWeights.packed(tiled).tiles else {
        Issue.record("tiles hold groups of \(group)")
        continue
      }
      for level in testedLevels {
        var found = [Float](repeating: .nan, count: 3 * columns)
        var scratch = [UInt8](repeating: 0, count: vk_tile_scratch(columns))
        var view = tiles.view
        vk_tiles_decode(level, &view, 15, 3, &scratch, &found)
        #expect(
          found.map(\.bitPattern)
            == expected[(15 * columns)...].prefix(found.count).map(\.bitPattern),
          "\(level) \(columns) \(group)")
      }
    }
  }

  /// Zeros in a pattern, anywhere, and everywhere in some columns.
  @Test(arguments: [(4, 2, 4), (8, 2, 4), (8, 4, 8), (8, 0, 0), (5, 0, 0), (6, 0, 0), (7, 0, 0)])
  func zerosAreLeftOut(bits: Int, kept: Int, of: Int) throws {
    for (columns, group) in Self.shapes {
      for zeros in [ZeroKind.symmetric, .points] {
        let sample = PackedSample(
          rows: Self.rows, columns: columns, bits: bits, group: group, zeros: zeros)
        let masked = Self.masked(sample.matrix, kept: kept, of: of)
        let tiled = masked.tiled(on: WorkerPool(threads: 2))
        let tiles = try #require(LayerWeights.packed(tiled).tiles)
        #expect(tiles.isSparse == Kernels.skipsZeros)
        if tiles.isSparse { #expect(tiles.view.starts[1] < 8 * tiles.layout.tileBytes / 10) }
        #expect(tiled.codes == masked.codes && tiled.scales == masked.scales)
        #expect(tiled.zeros == masked.zeros)
        #expect(tiled.decoded() == masked.decoded())
        #expect(tiled.decoded(rows: [17, 2]) == masked.decoded(rows: [17, 2]))
        let weights = (0..<Self.rows).map { masked.decoded(rows: [$0]).values }
        let magnitudes = (0..<Self.rows).map { sample.codeMagnitudes(row: $0) }
        try Self.checkProducts(tiles, weights, magnitudes, "\(bits) bits, \(columns) / \(group)")
      }
    }
  }

  @Test func fewZerosStay() throws {
    let sample = PackedSample(rows: 32, columns: 64, bits: 8, group: 64, zeros: .symmetric)
    #expect(try #require(LayerWeights.packed(sample.matrix.tiled()).tiles).isSparse == false)
  }

  /// The same matrix with all but some weights zero: the first ones of each few columns, or every third and a row's first.
  private static func masked(_ matrix: PackedMatrix, kept: Int, of: Int) -> PackedMatrix {
    var codes = matrix.unpackedCodes()
    for index in codes.indices {
      let (row, column) = (index / matrix.columns, index % matrix.columns)
      let isKept = of > 0 ? column % of < kept : index % 3 == 0 || column == 0
      if isKept { continue }
      switch matrix.zeros {
      case .points(let points):
        codes[index] = points[row * matrix.groupsPerRow + column / matrix.groupSize]
      case .symmetric, .minimums: codes[index] = UInt8(1 << (matrix.bits - 1))
      }
    }
    return PackedMatrix(
      rows: matrix.rows, columns: matrix.columns, bits: matrix.bits, groupSize: matrix.groupSize,
      codes: PackedMatrix.pack(
        codes: codes, rows: matrix.rows, columns: matrix.columns, bits: matrix.bits),
      scales: matrix.scales, scaleType: matrix.scaleType, zeros: matrix.zeros)
  }

  @Test func otherGroupsStayInRows() {
    for (columns, group) in [(35, 5), (200, 8), (96, 24), (40, 40)] {
      let sample = PackedSample(rows: 3, columns: columns, bits: 4, group: group, zeros: .symmetric)
      #expect(LayerWeights.packed(sample.matrix.tiled()).tiles == nil)
    }
  }

  @Test(arguments: 1...8, ZeroKind.allCases)
  func productsAreThoseOfTheDecodedRows(bits: Int, zeros: ZeroKind) throws {
    for (columns, group) in Self.shapes {
      let sample = PackedSample(
        rows: Self.rows, columns: columns, bits: bits, group: group, zeros: zeros)
      let tiles = try #require(LayerWeights.packed(sample.matrix.tiled()).tiles)
      let weights = (0..<Self.rows).map { sample.decoded(row: $0) }
      // What rounding floats may add grows with what codes, not weights, amount to.
      let magnitudes = (0..<Self.rows).map { sample.codeMagnitudes(row: $0) }
      try Self.checkProducts(tiles, weights, magnitudes, "\(bits) bits, \(columns) / \(group)")
    }
  }

  /// Where each type's blocks hold their 16-bit floats.
  static let blockTypes: [(type: ElementType, halves: [Int])] = [
    (.q2_K, [80, 82]), (.q3_K, [108]), (.q4_K, [0, 2]), (.q5_K, [0, 2]), (.q6_K, [208]),
    (.iq4_nl, [0]), (.iq4_xs, [0]), (.q4_0, [0]), (.q4_1, [0, 2]), (.q5_0, [0]), (.q5_1, [0, 2]),
    (.q8_0, [0]),
  ]

  @Test(arguments: blockTypes.indices)
  func blocksMultiplyAsTheyAreDecoded(index: Int) throws {
    let (type, halves) = Self.blockTypes[index]
    let (rows, columns) = (22, type.blockSize * 2)
    var noise = Noise(seed: index)
    var bytes = noise.bytes(rows * 2 * type.bytesPerBlock)
    for block in stride(from: 0, to: bytes.count, by: type.bytesPerBlock) {
      for (place, half) in zip(halves, noise.values(halves.count).halves(.float16)) {
        bytes[block + place] = UInt8(truncatingIfNeeded: half)
        bytes[block + place + 1] = UInt8(truncatingIfNeeded: half >> 8)
      }
    }
    let matrix = try #require(
      StoredMatrix(
        storage: ByteStorage(copying: bytes), offset: 0, type: type, rows: rows, columns: columns,
        rowOrder: .interleavedHalves(heads: 1)))
    let tiles = try #require(LayerWeights.stored(matrix.tiled(on: WorkerPool(threads: 2))).tiles)
    #expect(matrix.tiled().decoded() == matrix.decoded())
    let weights = (0..<rows).map { matrix.decoded(rows: [$0]).values }
    // Random codes reach both ends of their range, so that weights are about as large as codes times scales.
    let magnitudes = weights.map { row in
      row.map { _ in 4 * Double(row.map(\.magnitude).max() ?? 0) }
    }
    try Self.checkProducts(tiles, weights, magnitudes, "\(type)")
  }

  /// Products of odd ranges of rows with several numbers of vectors, at every level and arithmetic.
  static func checkProducts(
    _ tiles: Tiles, _ weights: [[Float]], _ magnitudes: [[Double]], _ name: String
  ) throws {
    let columns = tiles.layout.columns
    var noise = Noise(seed: columns)
    // An outlier, as real activations have, and a unit that is all but zero.
    var x = noise.values(tokens * columns)
    x[columns / 2] *= 300
    for place in 0..<min(columns, 32) { x[columns + place] *= 1e-36 }
    let vectors = (0..<tokens).map { Array(x[$0 * columns..<($0 + 1) * columns]) }
    let (first, end) = (1, weights.count - 1)
    for arithmetic in Arithmetic.allCases {
      let expected = vectors.map { vector in
        let steps = roundingErrors(of: vector, arithmetic)
        return (first..<end).map { row in
          let (value, _) = product(weights[row], vector)
          var slack = 1e-30
          for (column, weight) in weights[row].enumerated() {
            slack += abs(Double(weight)) * steps[column]
            slack += 1e-6 * magnitudes[row][column] * (abs(Double(vector[column])) + steps[column])
          }
          return (value, slack)
        }
      }
      for level in testedLevels {
        for count in [1, 3, 4, tokens] {
          let found = products(tiles, x, count, first..<end, arithmetic, level)
          for token in 0..<count {
            for row in first..<end {
              let (value, slack) = expected[token][row - first]
              #expect(
                abs(Double(found[token * (end - first) + row - first]) - value) <= slack,
                "\(name) \(arithmetic) \(level) row \(row) token \(token) of \(count)")
            }
          }
        }
      }
    }
  }

  /// Half a step for each value: 127 steps, or 127.5 * 256 - 1, reach the largest of its unit.
  private static func roundingErrors(of vector: [Float], _ arithmetic: Arithmetic) -> [Double] {
    vector.indices.map { place in
      let unit = vector[(place / 32 * 32)...].prefix(32)
      let largest = unit.map { Double($0.magnitude) }.max() ?? 0
      return 0.5001 * largest / (arithmetic == .fast ? 127 : 32639)
    }
  }

  private static func products(
    _ tiles: Tiles, _ x: [Float], _ count: Int, _ rows: Range<Int>, _ arithmetic: Arithmetic,
    _ level: vk_level
  ) -> [Float] {
    let (columns, group) = (tiles.layout.columns, tiles.layout.groupSize)
    var found = [Float](repeating: .nan, count: count * rows.count)
    let bytes = vk_tile_input_bytes(count, columns, group, arithmetic.planes)
    withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 64) { memory in
      var inputs = vk_tiles_lay_out(count, columns, group, arithmetic.planes, memory.baseAddress)
      for block in 0..<vk_tile_input_blocks(&inputs) {
        vk_tiles_prepare(level, &inputs, block, x, columns, group)
      }
      var view = tiles.view
      vk_tiles_times(level, &view, rows.lowerBound, rows.count, &inputs, &found, rows.count)
    }
    return found
  }
}
