import Allocation
import Checkpoints
import Compression
import Inference
import Work

/// Measures what each scheme of each layer costs: gradients first, or noise in their place, then trials block by block.
///
/// The pass over the blocks sees the inputs of all layers, so that it calibrates the model as well.
public struct SensitivityMeasurement {
  /// What layers are weighed by.
  public enum Weighing {
    /// The gradients that these windows give.
    case gradients(TokenWindows)
    /// The KLD of noise in each layer.
    case noise(ReplacementPass)
  }

  /// What was found.
  public struct Result {
    /// In the model's order.
    public let layers: [LayerCosts]
    /// Second moments at all sites.
    public let moments: [InputSite: InputStatistics]
    /// Tokens that layers were weighed on.
    public let gradientTokens: Int
  }

  /// Of the labels that gradients are taken of.
  private static let seed: UInt64 = 1

  private let layers: ModelLayers
  private let decoder: Decoder

  /// - Parameters:
  ///   - layers: Of the model.
  ///   - decoder: The model, nothing of it compressed.
  public init(of layers: ModelLayers, decoder: Decoder) {
    (self.layers, self.decoder) = (layers, decoder)
  }

  /// Measures.
  ///
  /// - Parameters:
  ///   - candidates: Schemes to try on every layer that can hold them.
  ///   - weighing: What layers are weighed by.
  ///   - windows: The text that methods are tried with.
  ///   - share: About what share of the time weighing takes.
  ///   - pace: Of everything.
  /// - Returns: What was found.
  /// - Throws: ``WorkFailure`` for a model that cannot be measured so, or cannot be read.
  public func run(
    _ candidates: [Scheme], weighing: Weighing, on windows: TokenWindows,
    weighingShare share: Double, pace: Pace
  ) throws(WorkFailure) -> Result {
    let fishers: [String: LayerFisher]
    var (tokens, weights) = (0, TokenWeights())
    switch weighing {
    case .gradients(let windows):
      let pass = try differentiated(windows, pace: pace.part(from: 0, to: share))
      (fishers, weights, tokens) = (pass.result, pass.tokenWeights, pass.tokenCount)
    case .noise(let pass):
      fishers = try layers.noiseWeights(in: pass, pace: pace.part(from: 0, to: share))
      tokens = pass.scoredTokens
    }
    var trials = try SensitivityTrials(
      windows, candidates: candidates, fishers: fishers, weights: weights, of: layers,
      decoder: decoder)
    try trials.run(pace: pace.part(from: share, to: 1))
    return Result(layers: trials.costs, moments: trials.moments, gradientTokens: tokens)
  }

  private func differentiated(
    _ windows: TokenWindows, pace: Pace
  ) throws(WorkFailure) -> FisherPass {
    do {
      var pass = try FisherPass(windows: windows.all, decoder: decoder, seed: Self.seed)
      try pass.run(pace: pace)
      return pass
    } catch {
      throw WorkFailure(error)
    }
  }
}

extension ReplacementPass {
  /// A pass over a text that people gave.
  ///
  /// - Parameters:
  ///   - path: The file that the tokens are from.
  ///   - tokens: The text.
  ///   - settings: How it is read.
  ///   - decoder: The model, nothing of it compressed.
  ///   - layers: Names of the layers to replace; nil for all.
  /// - Throws: ``WorkFailure`` when the text is too short, or the model cannot read it.
  public init(
    ofText path: String, _ tokens: [Int], settings: Evaluation.Settings, decoder: Decoder,
    layers: Set<String>? = nil
  ) throws(WorkFailure) {
    do throws(InferenceError) {
      try self.init(tokens: tokens, settings: settings, decoder: decoder, layers: layers)
    } catch .emptyInput {
      throw WorkFailure(sentence: "\(path): the text is too short to score a token")
    } catch {
      throw WorkFailure(error)
    }
  }
}
