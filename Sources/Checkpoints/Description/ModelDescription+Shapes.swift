import Tensors

extension ModelDescription {
  /// The name that plans may use for an embedding that is the head as well.
  package static let headName = "lm_head"

  /// All layers without their weights, in order.
  public var layerShapes: [LayerShape] { layers.map(shape(of:)) }

  /// One layer without its weights; a tied embedding answers to ``headName`` too.
  public func shape(of layer: LayerDescription) -> LayerShape {
    let isHead = tiesEmbeddings && layer.role == .embedTokens
    return LayerShape(
      name: layer.name, aliases: isHead ? [Self.headName] : [], rows: layer.rows,
      columns: layer.columns, type: layer.type, count: layer.count,
      isEmbedding: layer.role.isEmbedding, fusion: layer.fusion)
  }
}
