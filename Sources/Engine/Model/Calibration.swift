import Checkpoints
import Compression
import Inference

/// What is known of the inputs of all layers of the open model, and the text that it is known from.
struct Calibration {
  /// Below so many tokens for each input channel of the widest layer, GPTQ and SparseGPT fit the text and not the
  /// model.
  static let enoughTokens = 8.0

  /// Tells calibrations of a session apart: what was compressed with an earlier one is stale.
  let number: Int
  let textPath: String
  /// The text, which methods that need all pairs of moments run through the model again.
  let windows: TokenWindows
  /// Second moments at all sites; nil while nobody asked for them.
  var moments: [InputSite: InputStatistics]?
  private let sites: [String: InputSite]

  init(
    number: Int, textPath: String, windows: TokenWindows,
    moments: [InputSite: InputStatistics]?, of model: ModelDescription
  ) {
    self.number = number
    self.textPath = textPath
    self.windows = windows
    self.moments = moments
    sites = Dictionary(
      model.layers.compactMap { layer in
        layer.site.map { (layer.name, $0) }
      }, uniquingKeysWith: { first, _ in first })
  }

  func summary(of model: ModelDescription) -> CalibrationSummary {
    CalibrationSummary(textPath: textPath, windows: windows, moments: moments ?? [:], of: model)
  }

  /// Second moments of what a layer reads; nil for layers that multiply nothing.
  func statistics(of layer: String) -> InputStatistics? {
    sites[layer].flatMap { moments?[$0] }
  }

  /// llama.cpp's form of it.
  func importanceMatrix(of model: ModelDescription) -> ImportanceMatrix {
    var statistics: [String: InputStatistics] = [:]
    for layer in model.layers { statistics[layer.name] = self.statistics(of: layer.name) }
    return ImportanceMatrix(
      statistics, of: model, datasets: [textPath], windows: windows)
  }
}
