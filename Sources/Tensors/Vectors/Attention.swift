import CKernels

/// Causal attention with grouped queries over cached keys and values.
public struct Attention: Sendable {
  public let headCount: Int
  /// Divides `headCount`: that many consecutive query heads share a key and value head.
  public let keyValueHeadCount: Int
  /// Values of a query and of a key.
  public let headSize: Int
  /// Values of a value, and of a head's output.
  public let valueSize: Int
  /// What products of queries and keys are multiplied by.
  public let scale: Float
  /// Positions that a query sees, its own and those before it; nil is all.
  public let window: Int?
  /// Scaled scores s become c tanh(s / c).
  public let softcap: Float?
  /// For each head a logit that takes part in its softmax and has no value.
  public let sinks: [Float]?

  /// Attention of the given shape.
  ///
  /// Sources: Ainslie et al., GQA (2023), for grouped queries; Beltagy et al., Longformer (2020), for windows;
  /// Gemma Team, Gemma 2 (2024), for capped scores; OpenAI, gpt-oss model card (2025), for learned sinks;
  /// DeepSeek-AI, DeepSeek-V2 (2024), for values of another size than keys.
  /// - Parameters:
  ///   - headCount: Heads of a query.
  ///   - keyValueHeadCount: Heads of a key and of a value.
  ///   - headSize: Values of a query's head and of a key's.
  ///   - scale: nil is 1 / sqrt(`headSize`).
  ///   - window: A query at position p sees positions p - window + 1 to p; nil is all up to p.
  ///   - softcap: What bounds the scaled scores; nil leaves them.
  ///   - sinks: One for each head; nil is none.
  ///   - valueSize: nil is `headSize`.
  /// - Precondition: the key and value heads divide the heads; sizes, scale, window and softcap are positive.
  public init(
    headCount: Int, keyValueHeadCount: Int, headSize: Int, scale: Float? = nil, window: Int? = nil,
    softcap: Float? = nil, sinks: [Float]? = nil, valueSize: Int? = nil
  ) {
    precondition(keyValueHeadCount > 0 && headCount % keyValueHeadCount == 0 && headSize > 0)
    precondition(window.map { $0 > 0 } ?? true, "a position sees itself")
    precondition(softcap.map { $0 > 0 } ?? true, "scores have a bound")
    precondition(sinks.map { $0.count == headCount } ?? true, "a sink for each head")
    self.headCount = headCount
    self.keyValueHeadCount = keyValueHeadCount
    self.headSize = headSize
    self.valueSize = valueSize ?? headSize
    self.scale = scale ?? 1 / Float(headSize).squareRoot()
    self.window = window
    self.softcap = softcap
    self.sinks = sinks
    precondition(self.valueSize > 0 && self.scale > 0)
  }

  /// Attends with each row's queries over its own position and all before.
  ///
  /// - Parameters:
  ///   - queries: Consecutive positions, the last of which is the last in the cache; each row starts with
  ///     `headCount * headSize` values.
  ///   - keys: Those of all positions that are seen; the queries' own are already there.
  ///   - values: As many, of the same type.
  ///   - pool: The threads that share the heads.
  /// - Returns: For each query row, `headCount * valueSize` values.
  /// - Precondition: the counts agree.
  public func attend(
    queries: Matrix, keys: CachedVectors, values: CachedVectors, on pool: WorkerPool
  ) -> Matrix {
    let width = headCount * valueSize
    precondition(keys.type == values.type && keys.count == values.count)
    precondition(keys.heads == keyValueHeadCount && keys.headSize == headSize)
    precondition(values.heads == keyValueHeadCount && values.headSize == valueSize)
    precondition(queries.columns >= headCount * headSize && queries.rows <= keys.count)
    let count = queries.rows * width
    let result = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      queries.values.withUnsafeBufferPointer { queryBuffer in
        keys.bytes.withUnsafeBufferPointer { keyBuffer in
          values.bytes.withUnsafeBufferPointer { valueBuffer in
            guard let query = queryBuffer.baseAddress, let key = keyBuffer.baseAddress,
              let value = valueBuffer.baseAddress, let output = buffer.baseAddress
            else { return }
            let heads = AttentionHeads(
              attention: self, type: keys.type, queries: query, queryStride: queries.columns,
              keys: key, values: value, output: output, rows: queries.rows, positions: keys.count)
            heads.run(on: pool)
          }
        }
      }
      initialized = count
    }
    return Matrix(rows: queries.rows, columns: width, values: result)
  }

  /// The positions that a query at `position` sees.
  func seen(from position: Int) -> Range<Int> {
    max(0, position + 1 - (window ?? position + 1))..<position + 1
  }

  /// The logit of a head's sink; that of none weighs nothing.
  func sink(ofHead head: Int) -> Float { sinks?[head] ?? -.infinity }
}
