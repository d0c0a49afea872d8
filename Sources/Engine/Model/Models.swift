import Checkpoints
import Compression
import Inference
import Tensors
import Tokenization
import Work
import Procedures

/// The reference and the compressed model, and the tokenizer of both, loaded when first needed.
///
/// Both decoders share what is neither compressed nor pruned.
struct Models {
  /// The model as it was opened.
  private let whole: Checkpoint
  /// What the plan's structure leaves of it, and its layers compress: the whole unless it is pruned.
  private var checkpoint: Checkpoint
  private var isPruned = false
  private let threads: Int?
  private var pool: WorkerPool?
  private var tokens: Tokenizer?
  /// What is to be said of the tokenizer, until it is.
  private var tokenizerNote: String?
  private var reference: Decoder?
  /// The pruned model with no layer compressed; nil unless it is pruned.
  private var pruned: Decoder?
  private var compressed: Decoder?
  /// What the compressed model has in place of the checkpoint's layers, by their place in the model.
  private var results: [Int: LayerResult] = [:]
  /// What each model has read last.
  private var readTokens: [ModelSide: ReadTokens] = [:]

  init(_ checkpoint: Checkpoint, threads: Int?, pool: WorkerPool? = nil) {
    whole = checkpoint
    self.checkpoint = checkpoint
    self.threads = threads
    self.pool = pool
  }

  /// The same reference beside a compressed model that starts from a pruned checkpoint; nil is the whole one.
  func pruned(to checkpoint: Checkpoint?) -> Models {
    var models = self
    models.checkpoint = checkpoint ?? whole
    models.isPruned = checkpoint != nil
    (models.pruned, models.compressed, models.results) = (nil, nil, [:])
    models.readTokens[.compressed] = nil
    return models
  }

  /// What the compressed model runs with for a layer; nil where that is the checkpoint's own.
  func result(of number: Int) -> LayerResult? { results[number] }

  /// Makes the compressed model run with `result` from the next token on; nil is the checkpoint's own.
  ///
  /// Layers that share channel scales run only together, with their norm: until all of them are there, the
  /// checkpoint's run in their place.
  mutating func setResult(_ result: LayerResult?, of number: Int) {
    let partners = (results[number]?.fold.partners ?? []).union(result?.fold.partners ?? [])
    results[number] = result
    guard var changed = compressed, let original = isPruned ? pruned : reference else { return }
    // Held in one place only, so that nothing of it is copied.
    compressed = nil
    do {
      for layer in partners.union([number]) { try put(layer, from: original, into: &changed) }
      compressed = changed
    } catch {
      // Whoever asks for the model next builds it anew, and is told why that fails.
      return
    }
  }

  /// A layer's result, unless layers that share its scales are not there.
  private func runningResult(of number: Int) -> LayerResult? {
    guard let result = results[number] else { return nil }
    let isWhole = result.fold.partners.allSatisfy { results[$0]?.context == result.context }
    return isWhole ? result : nil
  }

  /// Gives a decoder the layer that runs, and the norm before it; `original` is what stands where nothing of the
  /// compressed model does.
  func put(
    _ number: Int, from original: Decoder, into decoder: inout Decoder
  ) throws(InferenceError) {
    let model = checkpoint.description
    let (layer, result) = (model.layers[number], runningResult(of: number))
    if let weights = result?.weights ?? original.weights(of: layer.name) {
      try decoder.setLayer(layer.name, weights)
    }
    guard let site = layer.site, case .norm(let name)? = model.scaleSource(of: site),
      let norm = result?.fold.norm?.weights ?? original.norm(named: name)
    else { return }
    try decoder.setNorm(name, norm)
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

  /// The model with no layer compressed: as it was opened, or what the plan's structure leaves of it.
  mutating func original() throws(JobFailure) -> Decoder {
    do throws(InferenceError) {
      return isPruned ? try loadedPruned() : try loadedReference()
    } catch {
      throw JobFailure(error)
    }
  }

  /// What a model has read for the prompt before, to go on from; it is held by one answer at a time.
  mutating func takeReadTokens(_ side: ModelSide) -> ReadTokens? {
    readTokens.removeValue(forKey: side)
  }

  /// Leaves what a model has read to its next prompt.
  mutating func keepReadTokens(_ read: ReadTokens, _ side: ModelSide) { readTokens[side] = read }

  /// The tokenizer that belongs to the weights.
  mutating func tokenizer() throws(JobFailure) -> Tokenizer {
    if let tokens { return tokens }
    let definition: TokenizerDefinition
    do { definition = try checkpoint.tokenizerDefinition() } catch { throw JobFailure(error) }
    do {
      let loaded = try Tokenizer(definition)
      tokens = loaded
      tokenizerNote = definition.noteBeyond(
        vocabularySize: checkpoint.description.vocabularySize)
      return loaded
    } catch {
      throw JobFailure(error)
    }
  }

  /// What is to be said of the tokenizer once it is loaded; nil if there is nothing, or it was said.
  mutating func takeTokenizerNote() -> String? {
    defer { tokenizerNote = nil }
    return tokenizerNote
  }

  private mutating func loadedReference() throws(InferenceError) -> Decoder {
    if let reference { return reference }
    let loaded = try Decoder(checkpoint: whole, pool: sharedPool())
    reference = loaded
    return loaded
  }

  private mutating func loadedCompressed(
    from reference: Decoder
  ) throws(InferenceError) -> Decoder {
    if let compressed { return compressed }
    let original = isPruned ? try loadedPruned() : reference
    var loaded = original
    for number in results.keys { try put(number, from: original, into: &loaded) }
    compressed = loaded
    return loaded
  }

  private mutating func loadedPruned() throws(InferenceError) -> Decoder {
    if let pruned { return pruned }
    let loaded = try Decoder(checkpoint: checkpoint, pool: sharedPool())
    pruned = loaded
    return loaded
  }

  /// Threads that all jobs share.
  mutating func sharedPool() -> WorkerPool {
    if let pool { return pool }
    let made = WorkerPool(threads: threads ?? WorkerPool.availableProcessors)
    pool = made
    return made
  }
}
