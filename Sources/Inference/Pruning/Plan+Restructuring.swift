import Checkpoints
import Compression
import Tensors

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
    let blocks = Set(structure.keptBlocks(of: prunableSizes))
    let left = Dictionary(
      tensors(leftBy: structure).map { ($0.whole.name, $0.left) },
      uniquingKeysWith: { first, _ in first })
    return layers.map { layer in
      if let block = layer.block, !blocks.contains(block) { return nil }
      let whole = shape(of: layer)
      guard let left = left[layer.name] else { return whole }
      return whole.with(
        name: left.name, rows: left.shape[0], columns: left.shape[1], count: left.count)
    }
  }
}
