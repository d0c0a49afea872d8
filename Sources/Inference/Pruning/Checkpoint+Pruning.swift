import Checkpoints
import Compression
import Tensors

extension Checkpoint {
  /// The model without what a structure removes: a model like any other, whose blocks are counted anew.
  ///
  /// Experts that stay are read where they are stored. Layers that lose rows or columns otherwise are copied into memory in the type that they are stored in; columns of GGUF's blocks
  /// become F16. All others stay where they are.
  /// - Throws: ``InferenceError`` when the model cannot have that structure.
  public func pruned(by structure: ModelStructure) throws(InferenceError) -> Checkpoint {
    try description.check(structure)
    guard let blueprint = description.blueprint else { return self }
    let sizes = description.prunableSizes
    let described = Dictionary(
      description.layers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var layers: [LayerDescription] = []
    var matrices: [String: LayerWeights] = [:]
    var (parameters, bytes) = (0, 0)
    do throws(CheckpointError) {
      for (tensor, left) in description.tensors(leftBy: structure) {
        let stored = try matrix(of: tensor.name)
        let kept = description.kept(of: tensor, by: structure)
        let experts = description.keptExperts(of: tensor, by: structure)
        let isWhole = kept.rows == nil && kept.columns == nil && experts == nil
        let matrix: LayerWeights
        if let experts, tensor.count > 1, tensor.isVector {
          // A stack's biases are one vector, each expert's behind the other's.
          let size = max(stored.rows, stored.columns) / tensor.count
          let values = experts.flatMap { $0 * size..<($0 + 1) * size }
          matrix = stored.selecting((rows: values, columns: nil), isVector: true)
        } else if let experts, tensor.count > 1 {
          matrix = stored.selecting(parts: experts, of: tensor.count)
        } else {
          // A router and scales have a row, or a value, for each expert.
          let parts = (rows: experts ?? kept.rows, columns: kept.columns)
          matrix = isWhole ? stored : stored.selecting(parts, isVector: tensor.isVector)
        }
        matrices[left.name] = matrix
        parameters += matrix.rows * matrix.columns
        let layer = described[tensor.name]
        let size = isWhole ? layer?.bytes ?? matrix.byteCount : matrix.byteCount
        bytes += size
        if let layer {
          layers.append(
            layer.becoming(
              left, matrix: matrix, keepsScheme: isWhole || matrix.holdsCodes, bytes: size))
        }
      }
    } catch {
      throw .checkpoint(error)
    }
    let pruned = ModelDescription(
      name: description.name, path: description.path, format: description.format,
      architecture: description.architecture,
      blueprint: blueprint.pruned(by: structure, of: sizes), abilities: description.abilities,
      parameterCount: parameters, tensorBytes: bytes,
      fingerprint: description.fingerprint(after: structure.yamlLines.joined(separator: "\n")),
      layers: layers, notes: description.notes)
    return remade(as: pruned, of: matrices)
  }
}

extension LayerWeights {
  /// Some rows and columns; the rows of a vector are its elements, which it may hold in a row.
  fileprivate func selecting(_ kept: (rows: [Int]?, columns: [Int]?), isVector: Bool)
    -> LayerWeights
  {
    isVector && rows == 1
      ? selecting(rows: nil, columns: kept.rows)
      : selecting(rows: kept.rows, columns: kept.columns)
  }
}

extension LayerDescription {
  /// This layer in a pruned model.
  fileprivate func becoming(
    _ tensor: ModelTensor, matrix: LayerWeights, keepsScheme: Bool, bytes: Int
  ) -> LayerDescription {
    LayerDescription(
      name: tensor.name, role: role, block: tensor.block, ggufName: tensor.ggufName,
      site: tensor.block.flatMap { site?.inBlock($0) } ?? site, fusion: tensor.fusion,
      count: tensor.count, rows: matrix.rows, columns: matrix.columns, type: matrix.type,
      scheme: keepsScheme ? scheme : nil, bytes: bytes)
  }
}
