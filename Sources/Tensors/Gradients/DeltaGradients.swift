import CKernels

extension GatedDelta {
  /// The gradients at the inputs, retentions and rates of a whole sequence, given that at the outputs.
  ///
  /// States are kept every 64 positions on the way there, and computed again between them on the way back.
  /// - Precondition: the sizes agree.
  public func gradient(
    at inputs: Matrix, retentions: Matrix, rates: Matrix, outputs: Matrix, on pool: WorkerPool
  ) -> (inputs: Matrix, retentions: Matrix, rates: Matrix) {
    check(inputs, retentions, rates)
    precondition(outputs.rows == inputs.rows && outputs.columns == outputWidth)
    var atInputs = Matrix(rows: inputs.rows, columns: width)
    var atRetentions = Matrix(rows: inputs.rows, columns: valueHeadCount)
    var atRates = atRetentions
    atInputs.values.withUnsafeMutableBufferPointer { atInputs in
      atRetentions.values.withUnsafeMutableBufferPointer { atRetentions in
        atRates.values.withUnsafeMutableBufferPointer { atRates in
          outputs.values.withUnsafeBufferPointer { outputs in
            withHeads(inputs, retentions, rates) { heads in
              guard let atInputs = atInputs.baseAddress, let outputs = outputs.baseAddress,
                let atRetentions = atRetentions.baseAddress, let atRates = atRates.baseAddress
              else { return }
              let back = DeltaGradients(
                heads: heads, outputs: outputs, inputs: atInputs, retentions: atRetentions,
                rates: atRates)
              // Value heads that share a key add to its gradient one after the other.
              pool.run(count: keyHeadCount) { $0.forEach(back.differentiate) }
            }
          }
        }
      }
    }
    return (atInputs, atRetentions, atRates)
  }
}

/// The way back through ``GatedDelta``; an item of its work is a key head with all its value heads.
struct DeltaGradients: @unchecked Sendable {
  // Unchecked: items read shared memory and write disjoint parts of the results.
  let heads: DeltaHeads
  let outputs: UnsafePointer<Float>
  let inputs: UnsafeMutablePointer<Float>
  let retentions: UnsafeMutablePointer<Float>
  let rates: UnsafeMutablePointer<Float>

  /// Positions between two states that are kept.
  private static let segment = 64

  func differentiate(_ keyHead: Int) {
    let group = heads.rule.group
    for head in keyHead * group..<(keyHead + 1) * group { differentiate(valueHead: head) }
  }

  private func differentiate(valueHead head: Int) {
    let (rule, rows) = (heads.rule, heads.rows)
    let size = rule.stateSize
    let segments = (rows + Self.segment - 1) / Self.segment
    ThreadScratch.withFloats((segments + Self.segment + 1) * size + rule.valueSize) { memory in
      let kept = memory
      let states = kept + segments * size
      let carried = states + Self.segment * size
      let unused = carried + size
      // The first state is zeros; each segment's last position gives the next.
      kept.update(repeating: 0, count: size)
      for segment in 0..<max(segments - 1, 0) {
        let next = kept + (segment + 1) * size
        next.update(from: kept + segment * size, count: size)
        var part = heads.head(head, positions(segment))
        vk_delta(Kernels.level, &part, next, unused, 0)
      }
      carried.update(repeating: 0, count: size)
      for segment in (0..<segments).reversed() {
        let positions = positions(segment)
        restore(head, positions, from: kept + segment * size, into: states, unused)
        var part = heads.head(head, positions)
        var gradients = gradients(head, positions)
        vk_delta_gradient(
          Kernels.level, &part, states,
          outputs + positions.lowerBound * rule.outputWidth + head * rule.valueSize,
          rule.outputWidth, carried, &gradients)
      }
    }
  }

  private func positions(_ segment: Int) -> Range<Int> {
    segment * Self.segment..<min((segment + 1) * Self.segment, heads.rows)
  }

  /// Computes the states before each position of a segment.
  private func restore(
    _ head: Int, _ positions: Range<Int>, from first: UnsafePointer<Float>,
    into states: UnsafeMutablePointer<Float>, _ unused: UnsafeMutablePointer<Float>
  ) {
    let size = heads.rule.stateSize
    states.update(from: first, count: size)
    for (place, position) in positions.dropLast().enumerated() {
      let next = states + (place + 1) * size
      next.update(from: states + place * size, count: size)
      var part = heads.head(head, position..<position + 1)
      vk_delta(Kernels.level, &part, next, unused, 0)
    }
  }

  private func gradients(_ head: Int, _ positions: Range<Int>) -> vk_delta_gradients {
    let rule = heads.rule
    let columns = heads.columns(ofHead: head)
    let row = inputs + positions.lowerBound * rule.width
    let place = positions.lowerBound * rule.valueHeadCount + head
    return vk_delta_gradients(
      queries: row + columns.query, keys: row + columns.key, values: row + columns.value,
      stride: rule.width, retentions: retentions + place, rates: rates + place,
      rate_stride: rule.valueHeadCount)
  }
}
