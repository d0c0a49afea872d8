/// How a Hugging Face checkpoint lays out stacks of experts that are one tensor.
package struct StackLayout: Hashable, Sendable {
  /// Whether matrices have inputs for rows, as far as they are plain numbers: gpt-oss, Llama 4.
  package var isTransposed = false
  /// Whether each gate is followed by its up, rather than all gates by all ups: gpt-oss.
  package var alternates = false

  /// Matrices as they are multiplied with, gates before ups.
  package static let plain = StackLayout()

  /// That of a part: gates and ups alternate where they are one tensor only.
  func layout(of part: Part, _ kind: ModelTensor.Kind) -> StackLayout {
    StackLayout(
      isTransposed: isTransposed && kind == .weight, alternates: alternates && part == .expertGateUp
    )
  }

  /// The places, in a stack whose rows alternate, of all rows of gates of each matrix and then of ups.
  ///
  /// - Parameters:
  ///   - count: Matrices.
  ///   - rows: Those of all matrices.
  /// - Returns: As many places as rows.
  static func gatesFirst(count: Int, rows: Int) -> [Int] {
    let size = rows / count
    return (0..<count).flatMap { matrix in
      (0..<2).flatMap { half in
        stride(from: half, to: size, by: 2).map { matrix * size + $0 }
      }
    }
  }
}

extension [Float] {
  /// Values of a stack whose gates come first, as they lie where gates and ups alternate.
  package func alternating(count: Int) -> [Float] {
    var result = self
    for (place, source) in StackLayout.gatesFirst(count: count, rows: self.count).enumerated() {
      result[source] = self[place]
    }
    return result
  }
}
