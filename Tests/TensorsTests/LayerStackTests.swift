import Testing

@testable import Tensors

/// Matrices one below the other, as one layer: against the members, decoded by themselves.
struct LayerStackTests {
  static let columns = 96

  /// Members of every kind, one of them in the rows of GGUF's heads and one a stack itself.
  static func members() throws -> [LayerWeights] {
    var noise = Noise(seed: 6)
    return [
      .packed(PackedSample(rows: 33, columns: columns, bits: 3, group: 32, zeros: .points).matrix),
      .stored(try BlockSample.matrix(.q4_1, rows: 40, columns: columns, heads: 5)),
      .stack([
        .dense(
          bits: noise.values(17 * columns).halves(.bfloat16), type: .bfloat16, rows: 17,
          columns: columns),
        .packed(
          PackedSample(rows: 5, columns: columns, bits: 8, group: 96, zeros: .symmetric).matrix),
      ]),
      .stored(
        try RowKernelTests.matrix(
          noise.values(36 * columns), .float16, 36, columns, .interleavedHalves(heads: 3))),
      .floats(floats(rows: 7, divisor: 3)),
    ]
  }

  private static func floats(rows: Int, divisor: Float) -> FloatMatrix {
    var noise = Noise(seed: rows)
    // Scales from 2^-3 to 2^4 in E4M3.
    return FloatMatrix(
      rows: rows, columns: columns, format: .nvfp4, codes: noise.bytes(rows * columns / 2),
      scales: noise.bytes(rows * columns / 16).map { UInt16($0 % 64 + 32) }, divisor: divisor,
      type: .bfloat16)
  }

  /// The rows of some matrices, each decoded by itself.
  private static func rows(of members: [LayerWeights]) -> [[Float]] {
    members.flatMap { member in
      if case .stack(let inner) = member { return rows(of: inner) }
      return (0..<member.rows).map { member.decoded(rows: [$0]).values }
    }
  }

  /// Parts within a member, over several, empty ones, and one twice.
  private static let parts = [
    0..<138, 33..<73, 40..<41, 5..<5, 70..<96, 30..<131, 131..<138, 40..<41,
  ]

  @Test func countsAndDecodesWhatItsMembersHold() throws {
    let members = try Self.members()
    let (stack, rows) = (LayerWeights.stack(members), Self.rows(of: members))
    #expect(stack.rows == 138 && stack.columns == 96 && rows.count == 138)
    #expect(stack.byteCount == members.map(\.byteCount).reduce(0, +))
    #expect(stack.type == .float32 && !stack.holdsCodes)
    #expect(LayerWeights.stack(Array(members[..<2])).holdsCodes)
    #expect(LayerWeights.stack([members[0], members[0]]).type == members[0].type)
    for part in Self.parts {
      #expect(stack.decoded(rows: part).values == rows[part].flatMap { $0 })
    }
    let order = [137, 0, 1, 32, 33, 95, 94, 72, 73, 0]
    #expect(stack.decoded(rows: order).values == order.flatMap { rows[$0] })
    #expect(stack.decoded().values == rows.flatMap { $0 })
    stack.releasePages()
    #expect(stack.decoded().values == rows.flatMap { $0 })
  }

  @Test func selectsRowsAndColumns() throws {
    let members = try Self.members()
    let (stack, rows) = (LayerWeights.stack(members), Self.rows(of: members))
    let order = [2, 1, 40, 100, 101, 3]
    let some = stack.selecting(rows: order, columns: nil)
    #expect(some.rows == 6 && some.decoded().values == order.flatMap { rows[$0] })
    guard case .packed(let kept) = stack.selecting(rows: [30, 2], columns: nil) else {
      Issue.record("rows of one member are no stack")
      return
    }
    #expect(kept.decoded().values == rows[30] + rows[2])
    let narrow = stack.selecting(rows: nil, columns: [95, 0, 7])
    #expect(narrow.rows == 138 && narrow.columns == 3)
    for (found, row) in zip(Self.rows(of: [narrow]), rows) {
      for (a, b) in zip(found, [row[95], row[0], row[7]]) { #expect(abs(a - b) <= 0.005 * abs(b)) }
    }
  }

  @Test func joinsWhatIsHeldAlikeWithoutDecoding() throws {
    let members = try Self.members()
    let blocks = try BlockSample.matrix(.q4_1, rows: 8, columns: Self.columns, heads: nil)
    guard case .stored(let joined) = LayerWeights.stack([members[1], .stored(blocks)]).joined()
    else {
      Issue.record("blocks stay blocks")
      return
    }
    #expect(joined.type == .q4_1 && joined.rowOrder == .plain)
    #expect(joined.decoded().values == Self.rows(of: [members[1], .stored(blocks)]).flatMap { $0 })
    for zeros in [ZeroKind.symmetric, .points, .minimums] {
      let codes = [3, 8, 1].map {
        LayerWeights.packed(
          PackedSample(rows: $0, columns: Self.columns, bits: 5, group: 48, zeros: zeros).matrix)
      }
      guard case .packed(let joined) = LayerWeights.stack(codes).joined() else {
        Issue.record("codes stay codes")
        return
      }
      #expect(joined.bits == 5 && joined.groupSize == 48)
      #expect(joined.decoded().values == Self.rows(of: codes).flatMap { $0 })
    }
    let floats = [2, 7].map { LayerWeights.floats(Self.floats(rows: $0, divisor: 3)) }
    guard case .floats(let joinedFloats) = LayerWeights.stack(floats).joined() else {
      Issue.record("floats stay floats")
      return
    }
    #expect(
      joinedFloats.decoded(rows: 0..<9).values == Self.rows(of: floats).flatMap { $0 })
    let other = LayerWeights.stack(floats + [.floats(Self.floats(rows: 1, divisor: 2))])
    for mixed in [other, .stack(members)] {
      guard case .stored(let joined) = mixed.joined() else {
        Issue.record("what differs becomes numbers")
        return
      }
      #expect(joined.type == .float32 && joined.decoded() == mixed.decoded())
    }
  }

  @Test(arguments: [1, 5, 6, 70], [1, 3])
  func partsMultiplyAsTheirDecodedRows(vectors: Int, threads: Int) throws {
    let members = try Self.members()
    let (stack, rows) = (LayerWeights.stack(members), Self.rows(of: members))
    let pool = WorkerPool(threads: threads)
    var noise = Noise(seed: vectors)
    let inputs = Matrix(
      rows: vectors, columns: Self.columns, values: noise.values(vectors * Self.columns))
    // A part of a plain matrix between those of the stack.
    let parts =
      [LayerPart(members[0], rows: 9..<30)] + Self.parts.map { LayerPart(stack, rows: $0) }
    let expected = Array(rows[9..<30]) + Self.parts.flatMap { Array(rows[$0]) }
    let found = pool.products(of: inputs, with: parts)
    #expect(found.rows == vectors && found.columns == expected.count)
    for vector in stride(from: 0, to: vectors, by: max(1, vectors / 5)) {
      for (place, row) in expected.enumerated() {
        let (value, magnitude) = product(row, inputs.row(vector))
        #expect(abs(Double(found[vector, place]) - value) <= 4e-6 * magnitude + 1e-5)
      }
    }
    let gradients = Matrix(
      rows: vectors, columns: expected.count, values: noise.values(vectors * expected.count))
    let back = pool.transposedProducts(of: gradients, with: parts)
    #expect(back.rows == vectors && back.columns == Self.columns)
    for vector in stride(from: 0, to: vectors, by: max(1, vectors / 5)) {
      for column in 0..<Self.columns {
        let (value, magnitude) = product(expected.map { $0[column] }, gradients.row(vector))
        #expect(abs(Double(back[vector, column]) - value) <= 4e-6 * magnitude + 1e-5)
      }
    }
  }

  @Test func noVectorsGiveNoProducts() throws {
    let part = LayerPart(.stack(try Self.members()), rows: 30..<80)
    let pool = WorkerPool(threads: 2)
    let none = pool.products(of: Matrix(rows: 0, columns: Self.columns), with: [part])
    #expect(none.rows == 0 && none.columns == 50)
    let back = pool.transposedProducts(of: Matrix(rows: 0, columns: 50), with: [part])
    #expect(back.rows == 0 && back.columns == Self.columns)
  }
}
