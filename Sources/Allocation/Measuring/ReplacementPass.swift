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
  /// Makes the weights that replace a layer's; nil leaves the layer out.
  public typealias Replacement = @Sendable (LayerDescription) throws -> LayerWeights?

  private let decoder: Decoder
  private let windows: TokenWindows
  private let replacement: Replacement
  private var reference: Evaluation
  private var states: ReferenceStates?
  /// Hidden states before the current block; nil while the reference is read.
  private var pass: ActivationPass?
  /// Layers of the current block that are not measured yet, the next one last.
  private var waiting: [LayerDescription] = []
  private var tail: (layer: LayerDescription, compressed: Decoder, evaluation: TailEvaluation)?
  private var isAdvancing = false
  private let layers: [LayerDescription]

  /// The mean KLD of each model that has been measured, by the replaced layer's name, in nats a token.
  public private(set) var result: [String: Estimate] = [:]

  /// - Parameters:
  ///   - tokens: The text.
  ///   - settings: How it is read.
  ///   - decoder: The model as it was opened.
  ///   - layers: Names of the layers to replace; nil for all.
  ///   - replacement: What to replace a layer by.
  /// - Throws: ``InferenceError`` when there is nothing to score, or a window exceeds the context.
  public init(
    tokens: [Int], settings: Evaluation.Settings, decoder: Decoder, layers: Set<String>? = nil,
    replacement: @escaping Replacement
  ) throws(InferenceError) {
    self.decoder = decoder
    self.replacement = replacement
    self.layers = decoder.description.layers.filter { layers?.contains($0.name) ?? true }
    windows = try TokenWindows(
      tokens, length: settings.window, limit: settings.windowLimit,
      beginToken: settings.beginToken, contextLength: decoder.description.contextLength)
    reference = try Evaluation(
      tokens: tokens, settings: settings, reference: decoder, compares: false)
  }

  /// Share of the models that are measured: 0...1.
  public var fractionCompleted: Double {
    layers.isEmpty ? 1 : Double(result.count) / Double(layers.count)
  }

  /// Does a part of the work.
  ///
  /// - Returns: Whether there is more to do.
  /// - Throws: ``InferenceError``, and what the replacement throws.
  public mutating func step() throws -> Bool {
    guard let states else {
      if try reference.step(reference: decoder) { return true }
      states = reference.referenceStates
      let pass = try ActivationPass(windows, decoder: decoder)
      self.pass = pass
      collect(before: pass)
      return states != nil
    }
    if let tail {
      var evaluation = tail.evaluation
      let goesOn = evaluation.step(reference: decoder, compressed: tail.compressed)
      self.tail = goesOn ? (tail.layer, tail.compressed, evaluation) : nil
      if !goesOn { result[tail.layer.name] = evaluation.result?.divergence?.mean }
    } else if let layer = waiting.popLast() {
      try begin(layer, states: states)
    } else {
      return advance()
    }
    return true
  }

  /// Looks up what is to be replaced before the reference goes on; the embedding comes before the first block.
  private mutating func collect(before pass: ActivationPass) {
    let blocks = decoder.description.blockCount
    waiting = layers.filter { layer in
      (layer.block ?? (layer.role == .embedTokens ? 0 : blocks)) == pass.block
    }.reversed()
  }

  private mutating func begin(_ layer: LayerDescription, states: ReferenceStates) throws {
    guard let pass, let weights = try replacement(layer) else { return }
    var compressed = decoder
    try compressed.setLayer(layer.name, weights)
    // Another embedding makes other hidden states from the start.
    let start =
      layer.role == .embedTokens ? try ActivationPass(windows, decoder: compressed) : pass
    tail = (layer, compressed, TailEvaluation(from: start, states: states))
  }

  /// Runs the reference on to the next block.
  private mutating func advance() -> Bool {
    guard var pass, !pass.isAtHead else { return false }
    if !isAdvancing {
      pass.begin(observing: .nothing, advancing: true)
      isAdvancing = true
    }
    if !pass.step(with: decoder) {
      isAdvancing = false
      collect(before: pass)
    }
    self.pass = pass
    return !pass.isAtHead || !waiting.isEmpty
  }
}
