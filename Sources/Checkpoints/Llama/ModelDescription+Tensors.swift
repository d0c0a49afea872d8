import Tensors

extension ModelDescription {
  /// Every tensor of the model, layers in their order and norms among them, as `format` stores them.
  ///
  /// - Returns: each tensor and the order of its rows.
  package func tensors(
    in format: CheckpointFormat
  ) -> [(tensor: LlamaTensor, rowOrder: RowOrder)] {
    let shape = LlamaShape(
      hiddenSize: hiddenSize, intermediateSize: intermediateSize, blockCount: blockCount,
      headCount: headCount, keyValueHeadCount: keyValueHeadCount, headSize: headSize,
      vocabularySize: vocabularySize, contextLength: contextLength, ropeTheta: ropeTheta,
      ropeScaling: ropeScaling, normEpsilon: normEpsilon, tiesEmbeddings: tiesEmbeddings)
    return LlamaTensor.all(of: shape).map { ($0, $0.rowOrder(in: format, shape)) }
  }
}
