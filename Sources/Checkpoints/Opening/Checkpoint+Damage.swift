import Tensors

/// Weights that are no numbers: a checkpoint that has some is damaged.
extension Checkpoint {
  /// Reads all values of a layer, norm or bias once.
  ///
  /// - Throws: ``CheckpointError`` naming its tensor and the place of the first NaN or infinity in it.
  public func checkFinite(_ name: String) throws(CheckpointError) {
    let matrix = try matrix(of: name)
    defer { matrix.releasePages() }
    guard let place = matrix.firstNonFinite else { return }
    let isVector = matrix.rows == 1 || matrix.columns == 1
    throw damage(
      tensor: layerTensors[name]?.count == 1 ? layerTensors[name]?.first ?? name : name,
      at: isVector
        ? "element \(max(place.row, place.column))" : "row \(place.row), column \(place.column)")
  }

  /// Reads all values of a tensor that nothing is made of once, if they are plain floats.
  ///
  /// - Throws: as ``checkFinite(_:)-(String)``.
  package func checkFinite(_ tensor: StoredTensor) throws(CheckpointError) {
    guard let matrix = matrix(of: tensor) else { return }
    let weights = LayerWeights.stored(matrix)
    defer { weights.releasePages() }
    guard let place = weights.firstNonFinite else { return }
    throw damage(tensor: tensor.name, at: "row \(place.row), column \(place.column)")
  }

  /// What is damaged of the vectors: norms and biases, which are small.
  public func damagedVectors() -> [String] {
    damage(in: description.tensors.filter(\.isVector).map(\.name))
  }

  /// What is damaged of all that the model computes with; reads all weights.
  public func damagedTensors() -> [String] {
    let others = description.tensors.filter { $0.role == nil }.map(\.name)
    return damage(in: description.layers.map(\.name) + others)
  }

  private func damage(in names: [String]) -> [String] {
    names.compactMap { name in
      do throws(CheckpointError) {
        try checkFinite(name)
        return nil
      } catch {
        return error.tensor.map { "\($0) \(error.reason)" } ?? error.reason
      }
    }
  }

  private func damage(tensor: String, at place: String) -> CheckpointError {
    CheckpointError(
      file: table[tensor].map { table.files[$0.file] } ?? description.path, tensor: tensor,
      reason: "holds a NaN or an infinity at \(place): the checkpoint is damaged",
      hint: "get this file again from its source")
  }
}
