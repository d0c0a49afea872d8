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
    guard cache.keys.count == description.blockCount,
      cache.width == description.keyValueHeadCount * description.headSize
    else { throw .foreignCache }
    for id in tokens where id < 0 || id >= description.vocabularySize {
      throw .unknownToken(id: id, vocabularySize: description.vocabularySize)
    }
    let length = cache.count + tokens.count
    guard length <= description.contextLength else {
      throw .contextExceeded(tokens: length, limit: description.contextLength)
    }
  }
}

extension Matrix {
  /// The last row as a matrix of one row.
  ///
  /// - Precondition: there is one.
  func lastRow() -> Matrix {
    Matrix(rows: 1, columns: columns, values: Array(row(rows - 1)))
  }
}
