import Checkpoints
import Tensors

extension Decoder {
  /// The blueprint of a model that runs.
  ///
  /// Refuses descriptions whose sizes do not fit together, before anything is computed from them.
  static func runnable(_ model: ModelDescription) throws(InferenceError) -> Blueprint {
    if let obstacle = model.abilities.runningObstacle { throw .doesNotRun(reason: obstacle) }
    guard let blueprint = model.blueprint, !model.tensors.isEmpty else {
      throw .doesNotRun(reason: "the architecture \(model.architecture) does not run")
    }
    var sizes = [blueprint.hiddenSize, blueprint.vocabularySize, blueprint.contextLength]
    for block in blueprint.blocks {
      sizes.append(block.feedForward.innerSize)
      switch block.mixer {
      case .attention(let attention):
        sizes += [attention.headCount, attention.keyValueHeadCount, attention.headSize]
      case .delta(let delta):
        sizes += [
          delta.keyHeadCount, delta.valueHeadCount, delta.keySize, delta.valueSize, delta.taps,
        ]
      case .mamba(let mamba):
        sizes += [
          mamba.headCount, mamba.headSize, mamba.stateSize, mamba.groupCount, mamba.taps,
        ]
      case .convolution(let convolution): sizes += [convolution.channels, convolution.taps]
      }
    }
    guard sizes.allSatisfy({ $0 > 0 }) else {
      throw .invalidShape(reason: "a size is not positive")
    }
    for delta in blueprint.blocks.compactMap(\.delta)
    where delta.valueHeadCount % delta.keyHeadCount != 0 {
      throw .invalidShape(
        reason:
          "\(delta.valueHeadCount) value heads cannot share \(delta.keyHeadCount) key heads evenly")
    }
    for mamba in blueprint.blocks.compactMap(\.mamba) where mamba.headCount % mamba.groupCount != 0
    {
      throw .invalidShape(
        reason: "\(mamba.headCount) heads cannot share \(mamba.groupCount) groups evenly")
    }
    for attention in blueprint.blocks.compactMap(\.attention) {
      guard attention.headCount % attention.keyValueHeadCount == 0 else {
        throw .invalidShape(
          reason:
            "\(attention.headCount) heads cannot share \(attention.keyValueHeadCount) key heads evenly"
        )
      }
      guard attention.headSize % 2 == 0 else {
        throw .invalidShape(reason: "RoPE needs heads of even size, not \(attention.headSize)")
      }
      guard attention.rope.map(blueprint.ropes.indices.contains) ?? true else {
        throw .invalidShape(reason: "a block turns by a rotation that is not there")
      }
    }
    for (index, block) in blueprint.blocks.enumerated() {
      guard let attention = block.attention, let source = attention.cacheBlock else { continue }
      guard (0..<index).contains(source) else {
        throw .invalidShape(reason: "a block reads keys and values that are not there yet")
      }
      guard let other = blueprint.blocks[source].attention, other.cacheBlock == nil,
        other.headSize == attention.headSize, other.keyWidth == attention.keyWidth
      else {
        throw .invalidShape(reason: "a block reads keys and values of another shape")
      }
    }
    return blueprint
  }

  static func check(
    _ weights: LayerWeights, fits tensor: ModelTensor
  ) throws(InferenceError) {
    guard [weights.rows, weights.columns] == tensor.shape else {
      throw .wrongShape(
        layer: tensor.name, expected: tensor.shape, found: [weights.rows, weights.columns])
    }
  }

  static func check(_ values: [Float], fits tensor: ModelTensor) throws(InferenceError) {
    guard [values.count] == tensor.shape else {
      throw .wrongShape(layer: tensor.name, expected: tensor.shape, found: [values.count])
    }
  }

  /// Refuses input that a forward pass cannot take.
  func check(_ tokens: [Int], _ cache: KeyValueCache) throws(InferenceError) {
    guard !tokens.isEmpty else { throw .emptyInput }
    guard cache.blocks.count == blueprint.blocks.count,
      zip(cache.blocks, blueprint.blocks).allSatisfy({ $0.fits($1.mixer) })
    else { throw .foreignCache }
    try check(tokens)
    let length = cache.count + tokens.count
    guard length <= blueprint.contextLength else {
      throw .contextExceeded(tokens: length, limit: blueprint.contextLength)
    }
  }

  /// Refuses ids outside the vocabulary.
  func check(_ tokens: [Int]) throws(InferenceError) {
    for id in tokens where id < 0 || id >= blueprint.vocabularySize {
      throw .unknownToken(id: id, vocabularySize: blueprint.vocabularySize)
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
