import Checkpoints
import Tensors

extension Decoder {
  /// The model of a checkpoint, whose weights stay where they lie on disk.
  ///
  /// Only norms and biases are read, layers in GGUF's quantized blocks laid out anew, and those that others quantized decoded or copied.
  /// - Throws: ``InferenceError`` when the checkpoint cannot be read or does not run.
  public init(checkpoint: Checkpoint, pool: WorkerPool) throws(InferenceError) {
    let model = checkpoint.description
    _ = try Self.runnable(model)
    var layers: [String: LayerWeights] = [:]
    var vectors: [String: [Float]] = [:]
    do throws(CheckpointError) {
      for tensor in model.tensors {
        if tensor.isVector {
          vectors[tensor.name] = try checkpoint.values(of: tensor)
        } else {
          layers[tensor.name] = try checkpoint.matrix(of: tensor.name)
        }
      }
    } catch {
      throw .checkpoint(error)
    }
    try self.init(description: model, layers: layers, norms: vectors, pool: pool)
  }
}
