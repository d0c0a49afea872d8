import Checkpoints
import Compression

extension Plan {
  /// This plan with another structure, under which layers that stay keep their schemes.
  ///
  /// Blocks are counted anew when others go or come back. Where the rules then mean other layers, they are written anew
  /// too, one a scheme; rules that say the same of all blocks stay as they are.
  /// - Parameters:
  ///   - structure: The new structure; nil takes nothing from the model.
  ///   - model: The whole model.
  /// - Returns: The plan, which still has to be checked against the pruned model's layers.
  /// - Throws: ``PlanError`` when the rules do not fit the model as it was pruned before.
  public func restructured(
    to structure: ModelStructure?, of model: ModelDescription
  ) throws(PlanError) -> Plan {
    let before = model.shapes(under: self.structure)
    let after = model.shapes(under: structure)
    var plan = self
    plan.structure = structure?.takesNothing == true ? nil : structure
    let known = try schemes(for: before.compactMap { $0 })
    var carried: [String: Scheme] = [:]
    for case (let old?, let new?) in zip(before, after) { carried[new.name] = known[old.name] }
    let said = try? plan.schemes(for: after.compactMap { $0 })
    if let said, carried.allSatisfy({ said[$0.key] == $0.value }) { return plan }
    plan.rules = Plan(schemes: carried, for: after.compactMap { $0 }).rules
    return plan
  }
}

extension ModelDescription {
  /// What a structure makes of each layer, in the model's order; nil for layers that it removes.
  fileprivate func shapes(under structure: ModelStructure?) -> [LayerShape?] {
    let structure = structure ?? ModelStructure()
    let sizes = structure.sizes(of: prunableSizes)
    let blocks = structure.keptBlocks(of: prunableSizes)
    let places = Dictionary(
      blocks.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let keys = sizes.keyValueHeads * headSize
    let queries = keys * (headCount / keyValueHeadCount)
    return layers.map { layer in
      let place = layer.block.flatMap { places[$0] }
      if layer.block != nil && place == nil { return nil }
      let (rows, columns) =
        switch layer.role {
        case .query: (queries, layer.columns)
        case .key, .value: (keys, layer.columns)
        case .attentionOutput: (layer.rows, queries)
        case .gate, .up: (sizes.neurons, layer.columns)
        case .down: (layer.rows, sizes.neurons)
        case .embedTokens, .head: (layer.rows, layer.columns)
        }
      return LayerShape(
        name: DecoderBlock.name(ofLayer: layer, inBlock: place), aliases: shape(of: layer).aliases,
        rows: rows, columns: columns, type: layer.type)
    }
  }
}
