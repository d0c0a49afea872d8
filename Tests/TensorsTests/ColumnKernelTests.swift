import CKernels
import Testing

@testable import Tensors

/// Every variant of the kernels of columns against products in double precision with what thresholds leave.
struct ColumnKernelTests {
  /// More than a block of narrow codes, and part of one.
  private static let rows = 141

  @Test(arguments: 1...8, ZeroKind.allCases)
  func productsAreThoseOfLargeInputs(bits: Int, zeros: ZeroKind) throws {
    for (columns, group) in TileKernelTests.shapes {
      let sample = PackedSample(
        rows: Self.rows, columns: columns, bits: bits, group: group, zeros: zeros)
      let tiles = try #require(LayerWeights.packed(sample.matrix.tiled()).tiles)
      let weights = (0..<Self.rows).map { sample.decoded(row: $0) }
      let magnitudes = (0..<Self.rows).map { sample.codeMagnitudes(row: $0) }
      Self.checkProducts(tiles, weights, magnitudes, "\(bits) bits, \(columns) / \(group)")
    }
  }

  @Test(arguments: TileKernelTests.blockTypes.indices)
  func blocksMultiplyAsTheyAreDecoded(index: Int) throws {
    let (type, halves) = TileKernelTests.blockTypes[index]
    let columns = type.blockSize * 2
    var noise = Noise(seed: index)
    var bytes = noise.bytes(Self.rows * 2 * type.bytesPerBlock)
    for block in stride(from: 0, to: bytes.count, by: type.bytesPerBlock) {
      for (place, half) in zip(halves, noise.values(halves.count).halves(.float16)) {
        bytes[block + place] = UInt8(truncatingIfNeeded: half)
        bytes[block + place + 1] = UInt8(truncatingIfNeeded: half >> 8)
      }
    }
    let matrix = try #require(
      StoredMatrix(
        storage: ByteStorage(copying: bytes), offset: 0, type: type, rows: Self.rows,
        columns: columns))
    let tiles = try #require(LayerWeights.stored(matrix.tiled()).tiles)
    let weights = (0..<Self.rows).map { matrix.decoded(rows: [$0]).values }
    let magnitudes = weights.map { row in
      row.map { _ in 4 * Double(row.map(\.magnitude).max() ?? 0) }
    }
    Self.checkProducts(tiles, weights, magnitudes, "\(type)")
  }

  @Test func sparseTilesGiveTheSameColumns() throws {
    var sample = PackedSample(
      rows: Self.rows, columns: 192, bits: 8, group: 64, zeros: .symmetric
    ).matrix.unpackedCodes()
    for place in sample.indices where place % 3 != 0 { sample[place] = 128 }
    let scales = Noise.scales(Self.rows * 3)
    let matrix = PackedMatrix(
      rows: Self.rows, columns: 192, bits: 8, groupSize: 64,
      codes: PackedMatrix.pack(codes: sample, rows: Self.rows, columns: 192, bits: 8),
      scales: scales, scaleType: .float16, zeros: .symmetric)
    let tiles = try #require(LayerWeights.packed(matrix.tiled()).tiles)
    let weights = (0..<Self.rows).map { matrix.decoded(rows: [$0]).values }
    let magnitudes = weights.map { row in
      row.map { _ in 3 * Double(row.map(\.magnitude).max() ?? 0) }
    }
    Self.checkProducts(tiles, weights, magnitudes, "sparse")
  }

  /// Products of blocks with one vector, under several thresholds, at every level and arithmetic.
  private static func checkProducts(
    _ tiles: Tiles, _ weights: [[Float]], _ magnitudes: [[Double]], _ name: String
  ) {
    let (columns, group) = (tiles.layout.columns, tiles.layout.groupSize)
    var noise = Noise(seed: columns + group)
    var x = noise.values(columns)
    x[columns / 2] *= 30
    let span = vk_active_span(group)
    for threshold: Float in [0, 0.4, 0.9, 100] {
      let kept = x.map { $0.magnitude < threshold ? 0 : $0 }
      let sizes = kept.map { Double($0.magnitude) }
      let expected = weights.map { product($0, kept).value }
      for arithmetic in Arithmetic.allCases {
        // Half a step for each value that multiplies.
        let errors = kept.indices.map { place in
          let largest = kept[(place / span * span)...].prefix(span).map(\.magnitude).max() ?? 0
          let steps = arithmetic == .fast ? 127.0 : 32639
          return kept[place] == 0 ? 0 : 0.5001 * Double(largest) / steps
        }
        let slacks = weights.indices.map { row in
          columnSlack(weights[row], magnitudes[row], sizes, errors)
        }
        for level in testedLevels {
          let (found, active) = products(tiles, x, threshold, arithmetic, level)
          #expect(active == kept.count { $0 != 0 }, "\(name) \(threshold) \(level)")
          // One expectation for all rows, of which there are many.
          let wrong = expected.indices.first {
            !(abs(Double(found[$0]) - expected[$0]) <= slacks[$0])
          }
          #expect(wrong == nil, "\(name) \(threshold) \(arithmetic) \(level)")
        }
      }
    }
  }

  /// What rounding inputs, and adding floats up, may make of a row's product.
  private static func columnSlack(
    _ weights: [Float], _ magnitudes: [Double], _ sizes: [Double], _ errors: [Double]
  ) -> Double {
    var slack = 1e-30
    for column in weights.indices where sizes[column] > 0 {
      slack += Double(weights[column].magnitude) * errors[column]
      slack += 1e-6 * magnitudes[column] * (sizes[column] + errors[column])
    }
    return slack
  }

  private static func products(
    _ tiles: Tiles, _ x: [Float], _ threshold: Float, _ arithmetic: Arithmetic, _ level: vk_level
  ) -> (values: [Float], active: Int) {
    let (columns, group) = (tiles.layout.columns, tiles.layout.groupSize)
    var view = tiles.view
    let (blocks, bytes) = (vk_column_blocks(&view), vk_column_bytes(&view))
    var found = [Float](repeating: .nan, count: tiles.layout.rows)
    var active = 0
    withUnsafeTemporaryAllocation(byteCount: blocks * bytes, alignment: 64) { codes in
      guard let start = codes.bindMemory(to: UInt8.self).baseAddress else { return }
      for block in 0..<blocks { vk_columns_lay_out(level, &view, block, start + block * bytes) }
      let size = vk_active_bytes(columns, group, arithmetic.planes)
      withUnsafeTemporaryAllocation(byteCount: size, alignment: 64) { memory in
        var inputs = vk_active_gather(
          level, x, columns, group, threshold, arithmetic.planes, memory.baseAddress)
        active = inputs.active
        // The last block alone, as another thread would.
        vk_columns_times(level, &view, start, 0, blocks - 1, &inputs, &found)
        let first = (blocks - 1) * vk_column_rows(&view)
        found.withUnsafeMutableBufferPointer { y in
          guard let y = y.baseAddress else { return }
          vk_columns_times(level, &view, start, blocks - 1, 1, &inputs, y + first)
        }
      }
    }
    return (found, active)
  }

  @Test func whatIsNoNumberIsNoticed() throws {
    let sample = PackedSample(
      rows: 64, columns: 64, bits: 8, group: 64, zeros: .symmetric)
    let tiles = try #require(LayerWeights.packed(sample.matrix.tiled()).tiles)
    var x = [Float](repeating: 0.1, count: 64)
    x[7] = .nan
    for level in testedLevels {
      #expect(Self.products(tiles, x, 0.5, .exact, level).values.allSatisfy { !$0.isFinite })
    }
  }

  @Test func poolsMultiplyAsKernelsDo() throws {
    let sample = PackedSample(
      rows: Self.rows, columns: 576, bits: 8, group: 64, zeros: .points)
    let layer = LayerWeights.packed(sample.matrix.tiled())
    let pool = WorkerPool(threads: 2)
    guard let columns = ColumnCodes(layer, leavingOut: 0.6, on: pool) else {
      #expect(!Kernels.gathersColumns)
      return
    }
    #expect(ColumnCodes(layer, leavingOut: 0.2, on: pool) == nil)
    #expect(columns.byteCount == 192 * 576)
    var noise = Noise(seed: 3)
    let vector = Matrix(rows: 1, columns: 576, values: noise.values(576))
    let (found, active) = pool.product(
      of: vector, with: columns, leavingOutBelow: 0.6, .exact)
    let tiles = try #require(layer.tiles)
    let expected = Self.products(tiles, vector.values, 0.6, .exact, Kernels.level)
    #expect(found.values == expected.values && active == expected.active)
    var kept = vector
    #expect(kept.prune(below: 0.6) == active)
    #expect(kept.values.count { $0 == 0 } == 576 - active)
  }
}

extension Noise {
  fileprivate static func scales(_ count: Int) -> [UInt16] {
    var noise = Noise(seed: count)
    return noise.values(count).map { 0.01 * $0 }.halves(.float16)
  }
}
