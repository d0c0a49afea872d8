import Checkpoints
import Compression
import Inference
import Tensors
import Work

/// Measures the KLD of models in which one layer is replaced, layer by layer.
///
/// The reference runs through the text once, block by block; each replaced layer's model starts from the hidden states
/// before its block, which saves half of all work. It is what predictions are checked and corrected with, and with noise
/// for weights (``NoisyWeights``) what stands in for gradients.
public struct ReplacementPass: Sendable {
  /// Share of the time that reading the reference takes, about.
  private static let referenceShare = 0.02

  private let decoder: Decoder
  /// The text.
  public let windows: TokenWindows
  private let tokens: [Int]
  private let settings: Evaluation.Settings
  private let layers: [LayerDescription]

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
    self.tokens = tokens
    self.settings = settings
    self.layers = decoder.description.layers.filter { layers?.contains($0.name) ?? true }
    windows = try TokenWindows(
      tokens, length: settings.window, limit: settings.windowLimit,
      beginToken: settings.beginToken, contextLength: decoder.description.contextLength)
  }

  /// Tokens that are scored for each layer.
  public var scoredTokens: Int { windows.count * windows.scored.count }

  /// Layers whose models are measured.
  public var layerCount: Int { layers.count }

  /// Measures the models one after the other, in the order of blocks, embedding and head last.
  ///
  /// - Parameters:
  ///   - pace: Of all of them.
  ///   - replacement: Makes the weights that a layer is replaced by; nil leaves the layer out.
  ///   - hear: Called with the mean KLD of each model, in nats a token.
  /// - Throws: ``WorkFailure`` when the model cannot read the tokens, or weights do not fit.
  public func run(
    pace: Pace = .unwatched,
    replacing replacement: (LayerDescription, Pace) throws(WorkFailure) -> LayerWeights?,
    hearing hear: (LayerDescription, Estimate) throws(WorkFailure) -> Void
  ) throws(WorkFailure) {
    let states = try referenceStates(pace: pace.part(from: 0, to: Self.referenceShare))
    let pace = pace.part(from: Self.referenceShare, to: 1)
    let blocks = decoder.description.blockCount
    var pass = try passBeforeFirstBlock(of: decoder)
    var done = 0
    for block in 0...blocks {
      for layer in layers where (layer.block ?? blocks) == block {
        let pace = pace.part(done, of: layers.count)
        done += 1
        guard let weights = try replacement(layer, pace.part(from: 0, to: 0.5)) else { continue }
        let found = try divergence(
          of: layer, weights, from: pass, states, pace: pace.part(from: 0.5, to: 1))
        if let found { try hear(layer, found) }
      }
      guard block < blocks, done < layers.count else { return }
      do {
        try pass.sweep(
          observing: .nothing, advancing: true, with: decoder,
          pace: pace.held(at: done, of: layers.count))
      } catch {
        throw WorkFailure(error)
      }
    }
  }

  private func referenceStates(pace: Pace) throws(WorkFailure) -> ReferenceStates {
    do throws(InferenceError) {
      var evaluation = try Evaluation(
        tokens: tokens, settings: settings, reference: decoder, compares: false)
      try evaluation.run(reference: decoder, pace: pace)
      guard let states = evaluation.referenceStates else { throw .emptyInput }
      return states
    } catch {
      throw WorkFailure(error)
    }
  }

  private func passBeforeFirstBlock(of decoder: Decoder) throws(WorkFailure) -> ActivationPass {
    do { return try ActivationPass(windows, decoder: decoder) } catch { throw WorkFailure(error) }
  }

  private func divergence(
    of layer: LayerDescription, _ weights: LayerWeights, from pass: ActivationPass,
    _ states: ReferenceStates, pace: Pace
  ) throws(WorkFailure) -> Estimate? {
    var compressed = decoder
    do { try compressed.setLayer(layer.name, weights) } catch { throw WorkFailure(error) }
    // Another embedding makes other hidden states from the start.
    let start = layer.role.isEmbedding ? try passBeforeFirstBlock(of: compressed) : pass
    do {
      return try start.evaluation(of: compressed, against: decoder, states: states, pace: pace)?
        .divergence?.mean
    } catch {
      throw WorkFailure(error)
    }
  }
}
