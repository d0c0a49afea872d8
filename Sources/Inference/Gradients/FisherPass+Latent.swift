import Checkpoints
import Tensors

/// The way back from queries, keys and values to the latent rows that they follow from.
extension FisherPass {
  /// The gradient at what was projected of hidden states, given that at queries, keys and values before they turned.
  mutating func differentiateLatent(
    _ layers: LatentLayers, _ facts: AttentionFacts, of index: Int,
    _ activations: LatentActivations, rows: [Int],
    output: Matrix
  ) -> Matrix {
    let block = decoder.blocks[index]
    let columns = LatentColumns(facts, layers.facts)
    let size = layers.facts.ownSize(ofHead: facts.headSize)
    let projected = activations.projected
    var result = Matrix(rows: output.rows, columns: projected.columns)

    var atQueries = output.columns(0..<facts.queryWidth)
    if let up = layers.queryUp, let read = activations.queryRead {
      add(
        up, of: index, at: .queryUp(block: index), rows: rows, inputs: read, gradients: atQueries)
      atQueries = gradient(
        under: .queryDownNorm, in: block, layers, at: projected.columns(columns.query),
        output: decoder.pool.transposedProducts(of: atQueries, with: up.weights))
    }
    result.replace(columnsFrom: 0, by: atQueries)

    var atTurned = Matrix(rows: output.rows, columns: columns.turned.count)
    var own = Matrix(rows: output.rows, columns: facts.headCount * size)
    for head in 0..<facts.headCount {
      let start = facts.queryWidth + head * facts.headSize
      own.replace(columnsFrom: head * size, by: output.columns(start..<start + size))
      atTurned.add(output.columns(start + size..<start + facts.headSize))
    }
    let firstValue = facts.queryWidth + facts.keyWidth
    let atRow = differentiateUp(
      layers, facts, of: index, activations.read, rows: rows, atKeys: own,
      atValues: output.columns(firstValue..<firstValue + facts.outputWidth))
    result.replace(
      columnsFrom: columns.latent.lowerBound,
      by: gradient(
        under: .latentNorm, in: block, layers, at: projected.columns(columns.latent), output: atRow)
    )
    result.replace(columnsFrom: columns.turned.lowerBound, by: atTurned)
    return result
  }

  /// The gradient at the row that keys and values are made of, given those at them.
  private mutating func differentiateUp(
    _ layers: LatentLayers, _ facts: AttentionFacts, of index: Int, _ read: Matrix, rows: [Int],
    atKeys: Matrix,
    atValues: Matrix
  ) -> Matrix {
    let (pool, site) = (decoder.pool, InputSite.latentUp(block: index))
    let (size, valueSize) = (layers.facts.ownSize(ofHead: facts.headSize), facts.valueSize)
    guard layers.facts.isSplit else {
      var both = Matrix(rows: read.rows, columns: atKeys.columns + atValues.columns)
      for head in 0..<facts.headCount {
        let start = head * (size + valueSize)
        both.replace(columnsFrom: start, by: atKeys.columns(head * size..<(head + 1) * size))
        both.replace(
          columnsFrom: start + size,
          by: atValues.columns(head * valueSize..<(head + 1) * valueSize))
      }
      add(layers.up, of: index, at: site, rows: rows, inputs: read, gradients: both)
      return pool.transposedProducts(of: both, with: layers.up.weights)
    }
    let values = Projection(parts: [.latentValue], weights: [layers.up.weights[1]], bias: nil)
    add(values, of: index, at: site, rows: rows, inputs: read, gradients: atValues)
    var result = pool.transposedProducts(of: atValues, with: values.weights)
    let name = names.layer(.latentKey, ofBlock: index)?.name
    for head in 0..<facts.headCount {
      let atHead = atKeys.columns(head * size..<(head + 1) * size)
      // What such a matrix reads stands at its rows, and its gradients at its columns: both count alike in the sums.
      _ = name.flatMap {
        sums[$0]?.add(inputs: atHead, gradients: read, row: head * layers.facts.rank, on: pool)
      }
      result.add(pool.products(of: atHead, with: [layers.keys(ofHead: head)]))
    }
    return result
  }

  /// The gradient at a latent row before its norm.
  private func gradient(
    under part: Part, in block: DecoderBlock, _ layers: LatentLayers, at states: Matrix,
    output: Matrix
  ) -> Matrix {
    guard let norm = block.norms[part] else { return output }
    var result = Matrix(rows: states.rows, columns: states.columns)
    result.addRMSNormGradient(
      at: states, weight: norm.weights, epsilon: Float(layers.facts.normEpsilon), output: output)
    return result
  }
}
