import Checkpoints
import Tensors

/// What a block's attention computes from hidden states; rows are positions.
struct AttentionActivations {
  /// What q, k and v read.
  let normalized: Matrix
  /// Queries, keys and values side by side; RoPE has turned queries and keys.
  let projected: Matrix
  /// What o reads.
  let attended: Matrix
}

/// What a block's MLP computes from hidden states; rows are positions.
struct MLPActivations {
  /// What gate and up read.
  let normalized: Matrix
  /// The outputs of gate and up side by side.
  let projected: Matrix
  /// What down reads.
  let inner: Matrix
}

/// The two halves of a block: attention and the MLP.
extension Decoder {
  /// Adds what a block's attention computes to the hidden states.
  func attend(
    block index: Int, on hidden: inout Matrix, rotations: [Rotation], cache: inout BlockCache,
    observer: Observer = { _, _ in }
  ) {
    let activations = attentionActivations(
      block: index, of: hidden, rotations: rotations, cache: &cache)
    observer(.attention(block: index), activations.normalized)
    observer(.attentionOutput(block: index), activations.attended)
    hidden.add(pool.products(of: activations.attended, with: blocks[index].attentionOutput))
  }

  /// Adds what a block's MLP computes to the hidden states.
  func feedForward(
    block index: Int, on hidden: inout Matrix, observer: Observer = { _, _ in }
  ) {
    let activations = mlpActivations(block: index, of: hidden)
    observer(.mlp(block: index), activations.normalized)
    observer(.mlpOutput(block: index), activations.inner)
    hidden.add(pool.products(of: activations.inner, with: blocks[index].mlpOutput))
  }

  /// What a block's attention computes before its output layer; keys and values go to the cache.
  func attentionActivations(
    block index: Int, of hidden: Matrix, rotations: [Rotation], cache: inout BlockCache
  ) -> AttentionActivations {
    let block = blocks[index]
    let normalized = hidden.rmsNormalized(by: block.attentionNorm, epsilon: epsilon)
    var projected = pool.products(of: normalized, with: block.attentionInputs)
    let heads = description.headCount + description.keyValueHeadCount
    for (row, rotation) in rotations.enumerated() {
      // Queries and keys lie side by side, so one call turns both.
      projected.rotate(row: row, column: 0, heads: heads, by: rotation)
    }
    cache.append(projected, keyColumn: description.headCount * description.headSize)
    let attended = attention.attend(
      queries: projected, keys: cache.keys, values: cache.values, on: pool)
    return AttentionActivations(
      normalized: normalized, projected: projected, attended: attended)
  }

  /// What a block's MLP computes before its output layer.
  func mlpActivations(block index: Int, of hidden: Matrix) -> MLPActivations {
    let block = blocks[index]
    let normalized = hidden.rmsNormalized(by: block.mlpNorm, epsilon: epsilon)
    let projected = pool.products(of: normalized, with: block.mlpInputs)
    return MLPActivations(
      normalized: normalized, projected: projected, inner: projected.gated(.silu))
  }
}
