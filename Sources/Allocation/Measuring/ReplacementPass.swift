import Checkpoints
import Compression
import Inference
import Tensors

/// Measures the KLD of models in which one layer is replaced, layer by layer, in steps.
///
/// The reference runs through the text once, block by block; each replaced layer's model starts from the hidden states
/// before its block, which saves half of all work. It is what predictions are checked and corrected with, and with noise
/// for weights (``NoisyWeights``) what stands in for gradients.
public struct ReplacementPass: Sendable {
  private let decoder: Decoder
  private let windows: TokenWindows
  private var reference: Evaluation
  private var states: ReferenceStates?
  /// Hidden states before the current block; nil while the reference is read.
  private var pass: ActivationPass?
  /// Layers of the current block that are not measured yet, the next one last.
  private var waiting: [LayerDescription] = []
  private var tail: (layer: LayerDescription, compressed: Decoder, evaluation: TailEvaluation)?
  private var isAdvancing = false
  private let layers: [LayerDescription]
  private var endedLayers = 0

  /// The layer that ``replace(by:)`` is to be called for before the pass goes on; nil while it needs none.
  public private(set) var wanted: LayerDescription?
  /// The mean KLD of each model that has been measured, by the replaced layer's name, in nats a token.
  public private(set) var result: [String: Estimate] = [:]

  /// - Parameters:
  ///   - tokens: The text.
  ///   - settings: How it is read.
  ///   - decoder: The model as it was opened.
  ///   - layers: Names of the layers to replace; nil for all.
  /// - Throws: ``InferenceError`` when there is nothing to score, or a window exceeds the context.
  public init(
    tokens: [Int], settings: Evaluation.Settings, decoder: Decoder, layers: Set<String>? = nil
  ) throws(InferenceError) {
    self.decoder = decoder
    self.layers = decoder.description.layers.filter { layers?.contains($0.name) ?? true }
    windows = try TokenWindows(
      tokens, length: settings.window, limit: settings.windowLimit,
      beginToken: settings.beginToken, contextLength: decoder.description.contextLength)
    reference = try Evaluation(
      tokens: tokens, settings: settings, reference: decoder, compares: false)
  }

  /// Tokens that are scored for each layer.
  public var scoredTokens: Int { windows.count * windows.scored.count }

  /// Share of the models that are measured: 0...1.
  public var fractionCompleted: Double {
    guard !layers.isEmpty else { return 1 }
    return (Double(endedLayers) + (tail?.evaluation.fractionCompleted ?? 0)) / Double(layers.count)
  }

  /// Does a part of the work; nothing while a layer is ``wanted``.
  ///
  /// - Returns: Whether there is more to do.
  /// - Throws: ``InferenceError`` when the model cannot read the tokens.
  public mutating func step() throws(InferenceError) -> Bool {
    guard states != nil else {
      if try reference.step(reference: decoder) { return true }
      states = reference.referenceStates
      let pass = try ActivationPass(windows, decoder: decoder)
      self.pass = pass
      collect(before: pass)
      return states != nil
    }
    guard endedLayers < layers.count else { return false }
    if wanted != nil { return true }
    if let tail {
      var evaluation = tail.evaluation
      let goesOn = try evaluation.step(reference: decoder, compressed: tail.compressed)
      self.tail = goesOn ? (tail.layer, tail.compressed, evaluation) : nil
      if !goesOn {
        result[tail.layer.name] = evaluation.result?.divergence?.mean
        endedLayers += 1
      }
    } else if let layer = waiting.popLast() {
      wanted = layer
    } else {
      return advance()
    }
    return true
  }

  /// Begins to measure the model in which the ``wanted`` layer has other weights.
  ///
  /// - Parameter weights: Of the layer's shape; nil leaves the layer out.
  /// - Throws: ``InferenceError`` when they do not fit.
  public mutating func replace(by weights: LayerWeights?) throws(InferenceError) {
    guard let layer = wanted, let pass, let states else { return }
    wanted = nil
    guard let weights else {
      endedLayers += 1
      return
    }
    var compressed = decoder
    try compressed.setLayer(layer.name, weights)
    // Another embedding makes other hidden states from the start.
    let start =
      layer.role == .embedTokens ? try ActivationPass(windows, decoder: compressed) : pass
    tail = (layer, compressed, TailEvaluation(from: start, states: states))
  }

  /// Looks up what is to be replaced before the reference goes on; embedding and head come after the last block.
  private mutating func collect(before pass: ActivationPass) {
    let blocks = decoder.description.blockCount
    waiting = layers.filter { ($0.block ?? blocks) == pass.block }.reversed()
  }

  /// Runs the reference on to the next block.
  private mutating func advance() -> Bool {
    guard var pass, !pass.isAtHead else { return false }
    if !isAdvancing {
      pass.begin(observing: .nothing, advancing: true)
      isAdvancing = true
    }
    // Held in one place only while it works, so that nothing of it is copied.
    self.pass = nil
    if !pass.step(with: decoder) {
      isAdvancing = false
      collect(before: pass)
    }
    self.pass = pass
    return !pass.isAtHead || !waiting.isEmpty
  }
}
