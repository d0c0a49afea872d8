import CKernels
import TestSupport
import Testing

@testable import Tensors

/// The decoder's operations on vectors and their gradients against PyTorch.
///
/// Kernels are tried at every level, the calls that wrap them with all rows at once.
struct RecordedVectorTests {
  /// Compares values, which may be off by shares of their own size and of the largest.
  private static func expectClose(
    _ found: [Float], _ expected: [Float], tolerance: (own: Float, largest: Float),
    _ comment: String
  ) {
    #expect(found.count == expected.count, "\(comment)")
    let largest = expected.map { abs($0) }.max() ?? 0
    for (place, (a, b)) in zip(found, expected).enumerated() {
      let bound = tolerance.own * abs(b) + tolerance.largest * largest + .leastNormalMagnitude
      if !(abs(a - b) <= bound) {
        Issue.record("\(comment) at \(place): \(a), not \(b)")
        return
      }
    }
  }

  @Test func rotates() throws {
    for recorded in try RecordedVectors.read().rotations {
      let inputs = recorded.inputs.floats
      let (cosines, sines) = (recorded.cosines.floats, recorded.sines.floats)
      let isNeighbours = recorded.pairing == "neighbours"
      let comment = "\(recorded.pairing), \(cosines.count) of \(recorded.size)"
      for level in testedLevels {
        var found = inputs
        vk_rotate(
          level, &found, recorded.heads, recorded.size, cosines.count, isNeighbours ? 1 : 0,
          cosines,
          sines)
        Self.expectClose(found, recorded.output.floats, tolerance: (0, 3e-7), "\(comment) \(level)")
      }
      // The second row of a matrix, after three other columns and before one.
      let columns = inputs.count + 4
      var matrix = Matrix(rows: 3, columns: columns)
      matrix.values.replaceSubrange(columns + 3..<columns + 3 + inputs.count, with: inputs)
      let rotation = Rotation(
        cosines: cosines, sines: sines, pairing: isNeighbours ? .neighbours : .halves)
      var turned = matrix
      turned.rotate(
        row: 1, column: 3, heads: recorded.heads, headSize: recorded.size, by: rotation)
      let found = Array(turned.row(1))
      Self.expectClose(
        Array(found[3..<columns - 1]), recorded.output.floats, tolerance: (0, 3e-7), comment)
      #expect(Array(found[..<3]) + [found[columns - 1]] == [0, 0, 0, 0])
      #expect(turned.row(0).allSatisfy { $0 == 0 } && turned.row(2).allSatisfy { $0 == 0 })
      turned.rotate(
        row: 1, column: 3, heads: recorded.heads, headSize: recorded.size, by: rotation.inverse)
      Self.expectClose(turned.values, matrix.values, tolerance: (0, 3e-7), "\(comment) back")
    }
  }

  @Test func normalizesParts() throws {
    for (number, recorded) in try RecordedVectors.read().normParts.enumerated() {
      let weight = recorded.weight?.floats
      let (part, size) = (recorded.first..<recorded.end, recorded.size)
      let inputs = Matrix(
        rows: recorded.rows, columns: recorded.columns, values: recorded.inputs.floats)
      var found = inputs
      found.rmsNormalizeParts(columns: part, size: size, by: weight, epsilon: recorded.epsilon)
      Self.expectClose(
        found.values, recorded.output.floats, tolerance: (1e-6, 0), "norm \(number)")
      var gradient = Matrix(
        rows: recorded.rows, columns: recorded.columns, values: recorded.outer.floats)
      gradient.rmsNormalizePartsGradient(
        at: inputs, columns: part, size: size, by: weight, epsilon: recorded.epsilon)
      Self.expectClose(
        gradient.values, recorded.gradient.floats, tolerance: (0, 1e-6), "norm \(number)")
      for level in testedLevels {
        let first = Array(inputs.row(0)[part])
        let outer = Array(recorded.outer.floats[part])
        var (row, turned) = (first, outer)
        weight.withPointer { weight in
          vk_rms_norm_parts(level, weight, part.count / size, size, recorded.epsilon, &row)
          vk_rms_norm_parts_gradient(
            level, first, weight, part.count / size, size, recorded.epsilon, &turned)
        }
        Self.expectClose(
          row, Array(recorded.output.floats[part]), tolerance: (1e-6, 0), "\(number) \(level)")
        Self.expectClose(
          turned, Array(recorded.gradient.floats[part]), tolerance: (0, 1e-6), "\(number) \(level)")
      }
    }
  }

  @Test func normalizesLayers() throws {
    for (number, recorded) in try RecordedVectors.read().layerNorms.enumerated() {
      let (weight, bias) = (recorded.weight.floats, recorded.bias?.floats)
      let (rows, columns) = (recorded.rows, recorded.columns)
      let inputs = Matrix(rows: rows, columns: columns, values: recorded.inputs.floats)
      let found = inputs.layerNormalized(by: weight, bias: bias, epsilon: recorded.epsilon)
      Self.expectClose(
        found.values, recorded.output.floats, tolerance: (0, 5e-6), "norm \(number)")
      // The gradient is added to what is there.
      var gradient = Matrix(
        rows: rows, columns: columns, values: Array(repeating: 1, count: rows * columns))
      let outer = Matrix(rows: rows, columns: columns, values: recorded.outer.floats)
      gradient.addLayerNormGradient(
        at: inputs, weight: weight, epsilon: recorded.epsilon, output: outer)
      Self.expectClose(
        gradient.values.map { $0 - 1 }, recorded.gradient.floats, tolerance: (0, 1e-5),
        "norm \(number)")
      for level in testedLevels {
        var row = [Float](repeating: .nan, count: columns)
        var turned = [Float](repeating: 0, count: columns)
        bias.withPointer { bias in
          vk_layer_norm(level, inputs.values, weight, bias, columns, recorded.epsilon, &row)
        }
        vk_layer_norm_gradient(
          level, inputs.values, weight, outer.values, columns, recorded.epsilon, &turned)
        Self.expectClose(
          row, Array(recorded.output.floats[..<columns]), tolerance: (0, 5e-6), "\(number) \(level)"
        )
        Self.expectClose(
          turned, Array(recorded.gradient.floats[..<columns]), tolerance: (0, 1e-5),
          "\(number) \(level)")
      }
    }
  }

  @Test func activates() throws {
    let recorded = try RecordedVectors.read().activations
    #expect(recorded.map(\.name).sorted() == Activation.allCases.map { "\($0)" }.sorted())
    for recorded in recorded {
      let activation = try #require(
        Activation.allCases.first { "\($0)" == recorded.name })
      let (x, up) = (recorded.inputs.floats, recorded.up.floats)
      let count = x.count
      // A sigmoid of much below zero is a difference of two numbers near a half.
      let least: Float = activation == .sigmoid ? 1e-7 : 1e-12
      for level in testedLevels {
        let comment = "\(recorded.name) \(level)"
        var (value, slope) = (x, x)
        vk_activate(level, activation.kernel, x, count, &value)
        Self.expectClose(value, recorded.output.floats, tolerance: (3e-6, least), comment)
        vk_activate_gradient(level, activation.kernel, x, recorded.outer.floats, count, &slope)
        Self.expectClose(
          slope, recorded.gradient.floats, tolerance: (3e-6, max(1e-9, least)), comment)
        var (gated, gate, other) = (x, x, x)
        vk_gate(level, activation.kernel, x, up, count, &gated)
        Self.expectClose(gated, recorded.gated.floats, tolerance: (3e-6, least), comment)
        vk_gate_gradient(
          level, activation.kernel, x, up, recorded.gatedOuter.floats, count, &gate, &other)
        Self.expectClose(
          gate, recorded.gateGradient.floats, tolerance: (3e-6, max(1e-9, least)), comment)
        Self.expectClose(other, recorded.upGradient.floats, tolerance: (3e-6, least), comment)
      }
      // Two rows, the second of which is the first backwards.
      let both = Matrix(
        rows: 2, columns: 2 * count, values: x + up + x.reversed() + up.reversed())
      let gated = recorded.gated.floats
      Self.expectClose(
        both.gated(activation).values, gated + gated.reversed(), tolerance: (3e-6, least),
        recorded.name)
      let outer = Matrix(
        rows: 2, columns: count,
        values: recorded.gatedOuter.floats + recorded.gatedOuter.floats.reversed())
      let (gate, other) = (recorded.gateGradient.floats, recorded.upGradient.floats)
      Self.expectClose(
        both.gatedGradient(activation, output: outer).values,
        gate + other + gate.reversed() + other.reversed(), tolerance: (3e-6, max(1e-9, least)),
        recorded.name)
      let plain = Matrix(rows: 1, columns: count, values: x)
      Self.expectClose(
        plain.activated(activation).values, recorded.output.floats, tolerance: (3e-6, least),
        recorded.name)
      Self.expectClose(
        plain.activatedGradient(
          activation, output: Matrix(rows: 1, columns: count, values: recorded.outer.floats)
        ).values, recorded.gradient.floats, tolerance: (3e-6, max(1e-9, least)), recorded.name)
    }
  }

  @Test func caps() throws {
    for recorded in try RecordedVectors.read().softcaps {
      let (x, outer) = (recorded.inputs.floats, recorded.outer.floats)
      for level in testedLevels {
        var (y, slope) = (x, outer)
        vk_softcap(level, recorded.cap, x.count, &y)
        Self.expectClose(y, recorded.output.floats, tolerance: (5e-7, 0), "\(level)")
        vk_softcap_gradient(level, y, recorded.cap, x.count, &slope)
        Self.expectClose(slope, recorded.gradient.floats, tolerance: (1e-6, 3e-7), "\(level)")
      }
      var capped = Matrix(rows: 2, columns: x.count / 2, values: x)
      capped.softcap(recorded.cap)
      Self.expectClose(capped.values, recorded.output.floats, tolerance: (5e-7, 0), "matrix")
      let gradient = capped.softcapGradient(
        output: Matrix(rows: 2, columns: x.count / 2, values: outer), cap: recorded.cap)
      Self.expectClose(
        gradient.values, recorded.gradient.floats, tolerance: (1e-6, 3e-7), "matrix")
    }
  }
}

/// Sums and multiples, which are exact.
struct VectorOperationTests {
  @Test func rowsGainABias() {
    var matrix = Matrix(rows: 3, columns: 40)
    let bias = (0..<35).map { Float($0) - 9 }
    matrix.addToRows(bias, column: 2)
    matrix.addToRows([1, 2], column: 38)
    for row in 0..<3 {
      #expect(Array(matrix.row(row)) == [0, 0] + bias + [0, 1, 2])
    }
    matrix.addToRows([Float](repeating: 0.5, count: 40))
    #expect(matrix[2, 0] == 0.5 && matrix[0, 39] == 2.5)
  }

  @Test func everyValueIsScaled() {
    let values = (0..<3 * 37).map { Float($0) - 50 }
    var matrix = Matrix(rows: 3, columns: 37, values: values)
    matrix.scale(by: 0.25)
    #expect(matrix.values == values.map { $0 * 0.25 })
  }
}
