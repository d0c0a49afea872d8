import Checkpoints
import Inference
import Tensors
import Tokenization

/// The reference and the compressed model, and the tokenizer of both, loaded when first needed.
///
/// Both decoders share what is not compressed.
struct Models {
  private let checkpoint: Checkpoint
  private let threads: Int?
  private var tokens: Tokenizer?
  private var reference: Decoder?
  private var compressed: Decoder?
  /// What the compressed model has in place of the reference's layers, by their place in the model.
  private var results: [Int: LayerResult] = [:]

  init(_ checkpoint: Checkpoint, threads: Int?) {
    self.checkpoint = checkpoint
    self.threads = threads
  }

  /// What the compressed model runs with for a layer; nil where that is the reference's own.
  func result(of number: Int) -> LayerResult? { results[number] }

  /// Makes the compressed model run with `result` from the next token on; nil is the reference's own.
  mutating func setResult(_ result: LayerResult?, of number: Int) {
    results[number] = result
    let name = checkpoint.description.layers[number].name
    guard let weights = result?.weights ?? reference?.weights(of: name) else { return }
    do {
      try compressed?.setLayer(name, weights)
    } catch {
      // Whoever asks for the model next builds it anew, and is told why that fails.
      compressed = nil
    }
  }

  /// The model of one side as it is now; a value, so later changes do not reach it.
  mutating func decoder(_ side: ModelSide) throws(JobFailure) -> Decoder {
    do throws(InferenceError) {
      let reference = try loadedReference()
      switch side {
      case .reference: return reference
      case .compressed: return try loadedCompressed(from: reference)
      }
    } catch {
      throw JobFailure(error)
    }
  }

  /// The tokenizer that belongs to the weights.
  mutating func tokenizer() throws(JobFailure) -> Tokenizer {
    if let tokens { return tokens }
    let definition: TokenizerDefinition
    do { definition = try checkpoint.tokenizerDefinition() } catch { throw JobFailure(error) }
    do {
      let loaded = try Tokenizer(definition)
      tokens = loaded
      return loaded
    } catch {
      throw JobFailure(error)
    }
  }

  private mutating func loadedReference() throws(InferenceError) -> Decoder {
    if let reference { return reference }
    let pool = WorkerPool(threads: threads ?? WorkerPool.availableProcessors)
    let loaded = try Decoder(checkpoint: checkpoint, pool: pool)
    reference = loaded
    return loaded
  }

  private mutating func loadedCompressed(
    from reference: Decoder
  ) throws(InferenceError) -> Decoder {
    if let compressed { return compressed }
    var loaded = reference
    for (number, result) in results {
      try loaded.setLayer(checkpoint.description.layers[number].name, result.weights)
    }
    compressed = loaded
    return loaded
  }
}
