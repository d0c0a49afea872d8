import Checkpoints
import Tensors

extension Decoder {
  /// Refuses descriptions whose sizes do not fit together, before anything is computed from them.
  static func check(_ model: ModelDescription) throws(InferenceError) {
    guard model.architecture == "llama" else {
      throw .unsupportedArchitecture(model.architecture)
    }
    let sizes = [
      model.hiddenSize, model.intermediateSize, model.headCount, model.keyValueHeadCount,
      model.headSize, model.vocabularySize, model.contextLength,
    ]
    guard sizes.allSatisfy({ $0 > 0 }), model.blockCount >= 0 else {
      throw .invalidShape(reason: "a size is not positive")
    }
    guard model.headCount % model.keyValueHeadCount == 0 else {
      throw .invalidShape(
        reason: "\(model.headCount) heads cannot share \(model.keyValueHeadCount) key heads evenly")
    }
    guard model.headSize % 2 == 0 else {
      throw .invalidShape(reason: "RoPE needs heads of even size, not \(model.headSize)")
    }
    for layer in model.layers {
      let expected = shape(of: layer.role, in: model)
      guard [layer.rows, layer.columns] == expected else {
        throw .wrongShape(
          layer: layer.name, expected: expected, found: [layer.rows, layer.columns])
      }
    }
  }

  /// Rows and columns that a role has in a model.
  private static func shape(of role: Role, in model: ModelDescription) -> [Int] {
    let queries = model.headCount * model.headSize
    let keys = model.keyValueHeadCount * model.headSize
    return switch role {
    case .embedTokens, .head: [model.vocabularySize, model.hiddenSize]
    case .query: [queries, model.hiddenSize]
    case .key, .value: [keys, model.hiddenSize]
    case .attentionOutput: [model.hiddenSize, queries]
    case .gate, .up: [model.intermediateSize, model.hiddenSize]
    case .down: [model.hiddenSize, model.intermediateSize]
    }
  }

  /// Refuses input that a forward pass cannot take.
  func check(_ tokens: [Int], _ cache: KeyValueCache) throws(InferenceError) {
    guard !tokens.isEmpty else { throw .emptyInput }
    let width = description.keyValueHeadCount * description.headSize
    guard cache.blocks.count == description.blockCount,
      cache.blocks.allSatisfy({ $0.width == width })
    else { throw .foreignCache }
    try check(tokens)
    let length = cache.count + tokens.count
    guard length <= description.contextLength else {
      throw .contextExceeded(tokens: length, limit: description.contextLength)
    }
  }

  /// Refuses ids outside the vocabulary.
  func check(_ tokens: [Int]) throws(InferenceError) {
    for id in tokens where id < 0 || id >= description.vocabularySize {
      throw .unknownToken(id: id, vocabularySize: description.vocabularySize)
    }
  }
}

extension Matrix {
  /// Some consecutive rows as a matrix.
  ///
  /// - Precondition: there are such rows.
  func rows(_ range: Range<Int>) -> Matrix {
    Matrix(
      rows: range.count, columns: columns,
      values: Array(values[range.lowerBound * columns..<range.upperBound * columns]))
  }

  /// Puts the rows of `other` in the place of as many from `first` on.
  ///
  /// - Precondition: there are so many, and the columns agree.
  mutating func replaceRows(from first: Int, by other: Matrix) {
    let range = first * columns..<(first + other.rows) * columns
    values.replaceSubrange(range, with: other.values)
  }
}
