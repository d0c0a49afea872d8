import Checkpoints
import Tensors

extension Decoder {
  /// The model of a checkpoint, whose weights stay where they lie on disk.
  ///
  /// Only norms are read, layers in GGUF's quantized blocks repacked, and those of compressed-tensors decoded or copied.
  /// - Throws: ``InferenceError`` when the checkpoint cannot be read or does not run.
  public init(checkpoint: Checkpoint, pool: WorkerPool) throws(InferenceError) {
    let model = checkpoint.description
    var layers: [String: LayerWeights] = [:]
    var norms: [String: [Float]] = [:]
    do throws(CheckpointError) {
      for layer in model.layers { layers[layer.name] = try checkpoint.matrix(of: layer.name) }
      for name in Self.normNames(of: model) { norms[name] = try checkpoint.vector(named: name) }
    } catch {
      throw .checkpoint(error)
    }
    try self.init(description: model, layers: layers, norms: norms, pool: pool)
  }

  private static func normNames(of model: ModelDescription) -> [String] {
    let inBlocks = (0..<model.blockCount).flatMap { block in
      DecoderBlock.normNames.map { DecoderBlock.name($0, block: block) }
    }
    return inBlocks + [finalNormName]
  }
}
