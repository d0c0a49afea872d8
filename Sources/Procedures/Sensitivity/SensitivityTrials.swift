import Allocation
import Checkpoints
import Compression
import Inference
import Tensors
import Work

/// Tries schemes on sampled rows of all layers, block by block of the original model.
///
/// What methods fit, they fit on even windows of the text; what they cost is scored on odd ones, so that a method that
/// fits the text and not the model gains nothing by it.
struct SensitivityTrials {
  /// What was found, in the model's order.
  private(set) var costs: [LayerCosts] = []
  /// Second moments at all sites, of all windows.
  private(set) var moments: [InputSite: InputStatistics] = [:]
  private let candidates: [Scheme]
  private let fishers: [String: LayerFisher]
  private let layers: ModelLayers
  private let need: CalibrationNeed
  private let splits: Bool
  private let decoder: Decoder
  private var pass: ActivationPass

  /// Trials of these candidates on all layers that can hold them.
  ///
  /// - Throws: ``WorkFailure`` when the model cannot read the text.
  init(
    _ windows: TokenWindows, candidates: [Scheme], fishers: [String: LayerFisher],
    weights: TokenWeights = TokenWeights(), of layers: ModelLayers, decoder: Decoder
  ) throws(WorkFailure) {
    self.candidates = candidates.filter { !$0.keepsLayer }
    self.fishers = fishers
    self.layers = layers
    self.decoder = decoder
    need = max(self.candidates.map(\.calibrationNeed).max() ?? .nothing, .moments)
    splits = need == .gram && windows.count > 1
    do {
      pass = try ActivationPass(
        windows, decoder: decoder, splitsWindows: splits,
        // One window is fitted and scored on, since there is no other.
        oddWeights: splits ? weights : TokenWeights())
    } catch {
      throw WorkFailure(error)
    }
  }

  /// Tries all candidates on all layers.
  ///
  /// - Throws: ``WorkFailure`` for layers that cannot be read or are no numbers, and when the pace ends it.
  mutating func run(pace: Pace) throws(WorkFailure) {
    let numbers = layers.shapes.indices
    let parts = decoder.description.blockCount + 2
    let unread = numbers.filter { layers.description.layers[$0].site == nil }
    for (number, pace) in pace.part(0, of: parts).parts(unread) {
      var inputs = SiteInputs.lookup(columns: layers.shapes[number].columns)
      try tryAll(number, with: &inputs, pace: pace)
    }
    for part in 1..<parts {
      let pace = pace.part(part, of: parts)
      let sites = pass.isAtHead ? [.head] : InputSite.sites(ofBlock: pass.block)
      do {
        try pass.sweep(
          observing: need, advancing: true, with: decoder, pace: pace.part(from: 0, to: 0.5))
      } catch {
        throw WorkFailure(error)
      }
      for (site, pace) in pace.part(from: 0.5, to: 1).parts(sites) {
        moments[site] = pass.statistics(at: site).map(\.withoutGram)
        let readers = numbers.filter { layers.description.layers[$0].site == site }
        var inputs = SiteInputs(
          fit: pass.statistics(at: site, of: splits ? .even : .all),
          score: pass.statistics(at: site, of: splits ? .odd : .all))
        for (number, pace) in pace.parts(readers) {
          try tryAll(number, with: &inputs, pace: pace)
        }
      }
    }
    costs.sort { (layers.number(of: $0.layer) ?? 0) < (layers.number(of: $1.layer) ?? 0) }
  }

  private mutating func tryAll(
    _ number: Int, with inputs: inout SiteInputs, pace: Pace
  ) throws(WorkFailure) {
    guard let fisher = fishers[layers.shapes[number].name] else { return }
    var trials = try LayerTrials(number, of: layers, fisher, candidates)
    costs.append(try trials.run(with: &inputs, pace: pace))
  }
}
