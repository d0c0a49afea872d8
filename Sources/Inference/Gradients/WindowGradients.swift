import Checkpoints
import Tensors

/// What the way back through a window carries beside the gradient at hidden states.
struct WindowGradients: Sendable {
  /// Keys and values of blocks that others read, too.
  var caches: [Int: BlockCache] = [:]
  /// The gradients at these, positions x (keys and values side by side), from the blocks that read them.
  var atCaches: [Int: Matrix] = [:]
  /// At the model's embeddings, from where blocks' own are made of them; nil where there are none.
  var atEmbeddings: Matrix?
  /// At what is looked up for blocks' own embeddings, all blocks side by side.
  var atOwnEmbeddings: Matrix?

  init() {}

  init(tokens: Int, of decoder: Decoder) {
    guard let facts = decoder.perLayer?.facts else { return }
    atEmbeddings = Matrix(rows: tokens, columns: decoder.blueprint.hiddenSize)
    atOwnEmbeddings = Matrix(rows: tokens, columns: decoder.blocks.count * facts.size)
  }
}

extension Matrix {
  /// Adds another matrix to a part of this one.
  ///
  /// - Precondition: it lies within.
  mutating func add(_ other: Matrix, toRow row: Int, column: Int) {
    precondition(row + other.rows <= rows && column + other.columns <= columns, "a part of it")
    for line in 0..<other.rows {
      let (to, from) = ((row + line) * columns + column, line * other.columns)
      for place in 0..<other.columns { values[to + place] += other.values[from + place] }
    }
  }
}
