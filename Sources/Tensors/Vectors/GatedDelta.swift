import CKernels

/// The gated delta rule: a recurrence whose state maps keys to values, forgets at a rate, and corrects what it says of a key.
///
/// For each head and position, with S the state (key size x value size): S = a S, S += k (b (v - S^T k))^T, y = S^T q.
/// One that does not correct is Mamba-2's: S += k (b v)^T.
/// Sources: Yang, Kautz and Hatamizadeh, Gated Delta Networks (2024); Dao and Gu, Transformers are SSMs (2024).
public struct GatedDelta: Sendable {
  /// Heads of queries and of keys.
  public let keyHeadCount: Int
  /// Heads of values, as many consecutive ones of which share a query and a key.
  public let valueHeadCount: Int
  public let keySize: Int
  public let valueSize: Int
  /// Whether what the state says of a key is taken from its value.
  public let corrects: Bool

  /// - Precondition: key heads divide value heads, and all sizes are positive.
  public init(
    keyHeadCount: Int, valueHeadCount: Int, keySize: Int, valueSize: Int, corrects: Bool = true
  ) {
    precondition(keyHeadCount > 0 && valueHeadCount > 0 && valueHeadCount % keyHeadCount == 0)
    precondition(keySize > 0 && valueSize > 0)
    self.keyHeadCount = keyHeadCount
    self.valueHeadCount = valueHeadCount
    self.keySize = keySize
    self.valueSize = valueSize
    self.corrects = corrects
  }

  /// The state before the first position: zeros.
  public var emptyState: [Float] { Array(repeating: 0, count: valueHeadCount * stateSize) }
  /// Columns of queries, keys and values side by side.
  public var width: Int { 2 * keyHeadCount * keySize + outputWidth }
  var outputWidth: Int { valueHeadCount * valueSize }
  var stateSize: Int { keySize * valueSize }
  var group: Int { valueHeadCount / keyHeadCount }

  /// The outputs at consecutive positions.
  ///
  /// - Parameters:
  ///   - inputs: Queries, keys and values side by side, one row a position.
  ///   - retentions: What the state is multiplied by: positions x value heads.
  ///   - rates: How much of what is new goes into the state: positions x value heads.
  ///   - state: That before the first position, heads x key size x value size; afterwards that after the last.
  ///   - pool: The threads that share the heads.
  /// - Returns: Positions x (value heads x value size).
  /// - Precondition: the sizes agree.
  public func outputs(
    of inputs: Matrix, retentions: Matrix, rates: Matrix, state: inout [Float],
    on pool: WorkerPool
  ) -> Matrix {
    check(inputs, retentions, rates)
    precondition(state.count == valueHeadCount * stateSize)
    let count = inputs.rows * outputWidth
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      state.withUnsafeMutableBufferPointer { state in
        withHeads(inputs, retentions, rates) { heads in
          guard let outputs = buffer.baseAddress, let state = state.baseAddress else { return }
          let run = DeltaRun(heads: heads, state: state, outputs: outputs)
          pool.run(count: valueHeadCount) { $0.forEach(run.run) }
        }
      }
      initialized = count
    }
    return Matrix(rows: inputs.rows, columns: outputWidth, values: values)
  }

  func check(_ inputs: Matrix, _ retentions: Matrix, _ rates: Matrix) {
    precondition(inputs.columns == width, "queries, keys and values")
    for values in [retentions, rates] {
      precondition(values.rows == inputs.rows && values.columns == valueHeadCount)
    }
  }

  /// Calls `body` with what heads read.
  func withHeads(
    _ inputs: Matrix, _ retentions: Matrix, _ rates: Matrix, _ body: (DeltaHeads) -> Void
  ) {
    inputs.values.withUnsafeBufferPointer { x in
      retentions.values.withUnsafeBufferPointer { retentions in
        rates.values.withUnsafeBufferPointer { rates in
          guard let x = x.baseAddress, let retentions = retentions.baseAddress,
            let rates = rates.baseAddress
          else { return }
          body(
            DeltaHeads(
              rule: self, rows: inputs.rows, inputs: x, retentions: retentions, rates: rates))
        }
      }
    }
  }
}

/// One call's pointers to what heads read.
struct DeltaHeads: @unchecked Sendable {
  // Unchecked: what it points to is only read.
  let rule: GatedDelta
  let rows: Int
  let inputs: UnsafePointer<Float>
  let retentions: UnsafePointer<Float>
  let rates: UnsafePointer<Float>

  /// The columns of a value head's query, key and value.
  func columns(ofHead head: Int) -> (query: Int, key: Int, value: Int) {
    let shared = head / rule.group * rule.keySize
    let keys = rule.keyHeadCount * rule.keySize
    return (shared, keys + shared, 2 * keys + head * rule.valueSize)
  }

  /// Some positions of a value head, as the kernels see them.
  func head(_ head: Int, _ part: Range<Int>) -> vk_delta_head {
    let row = inputs + part.lowerBound * rule.width
    let columns = columns(ofHead: head)
    let place = part.lowerBound * rule.valueHeadCount + head
    return vk_delta_head(
      rows: part.count, key_size: rule.keySize, value_size: rule.valueSize,
      queries: row + columns.query, keys: row + columns.key, values: row + columns.value,
      stride: rule.width, retentions: retentions + place, rates: rates + place,
      rate_stride: rule.valueHeadCount, corrects: rule.corrects ? 1 : 0)
  }
}

/// The way there; an item of its work is a value head.
private struct DeltaRun: @unchecked Sendable {
  // Unchecked: items write disjoint parts of the state and of the outputs.
  let heads: DeltaHeads
  let state: UnsafeMutablePointer<Float>
  let outputs: UnsafeMutablePointer<Float>

  func run(_ head: Int) {
    let rule = heads.rule
    var part = heads.head(head, 0..<heads.rows)
    vk_delta(
      Kernels.level, &part, state + head * rule.stateSize, outputs + head * rule.valueSize,
      rule.outputWidth)
  }
}
