import Checkpoints
import Compression

extension ModelDescription {
  /// All layers as the compression room sees them, in order.
  public var layerShapes: [LayerShape] { layers.map(shape(of:)) }

  /// One layer as the compression room sees it; a tied embedding answers to `lm_head` too.
  public func shape(of layer: LayerDescription) -> LayerShape {
    let isHead = tiesEmbeddings && layer.role == .embedTokens
    return LayerShape(
      name: layer.name, aliases: isHead ? [Decoder.headName] : [], rows: layer.rows,
      columns: layer.columns, type: layer.type, count: layer.count,
      isEmbedding: layer.role == .embedTokens, fusion: layer.fusion)
  }
}
