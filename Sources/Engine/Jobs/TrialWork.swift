import Allocation
import Checkpoints
import Compression
import Inference
import Tensors

/// Tries schemes on sampled rows of all layers, block by block of the original model.
///
/// What methods fit, they fit on even windows of the text; what they cost is scored on odd ones, so that a method that
/// fits the text and not the model gains nothing by it.
struct TrialWork {
  /// What was found, in the order of the blocks.
  private(set) var layers: [LayerCosts] = []
  /// Second moments at all sites, of all windows.
  private(set) var moments: [InputSite: InputStatistics] = [:]
  private let candidates: [Scheme]
  private let fishers: [String: LayerFisher]
  private let need: CalibrationNeed
  private let splits: Bool
  private let decoder: Decoder
  private var pass: ActivationPass
  /// Layers whose inputs are known now, still to be tried.
  private var waiting: [(number: Int, site: InputSite?)]
  private var site: SiteInputs?
  private var trial: LayerTrials?
  private let layerCount: Int
  /// Whether the head has been observed.
  private var isAtEnd = false

  /// Trials of these candidates on all layers that can hold them.
  ///
  /// - Throws: ``JobFailure`` when the model cannot be loaded or read the text.
  init(
    _ windows: TokenWindows, candidates: [Scheme], fishers: [String: LayerFisher],
    weights: TokenWeights = TokenWeights(), in workspace: inout Workspace
  ) throws(JobFailure) {
    self.candidates = candidates.filter { !$0.keepsLayer }
    self.fishers = fishers
    need = max(self.candidates.map(\.calibrationNeed).max() ?? .nothing, .moments)
    splits = need == .gram && windows.count > 1
    decoder = try workspace.models.original()
    do {
      pass = try ActivationPass(
        windows, decoder: decoder, splitsWindows: splits,
        // One window is fitted and scored on, since there is no other.
        oddWeights: splits ? weights : TokenWeights())
    } catch {
      throw JobFailure(error)
    }
    let model = workspace.description
    layerCount = model.layers.count
    waiting = model.layers.indices.filter { model.layers[$0].site == nil }
      .map { (number: $0, site: nil) }
    pass.begin(observing: need, advancing: true)
  }

  /// Share of blocks and layers that are done: 0...1.
  var fractionCompleted: Double {
    let blocks = Double(pass.block) + (pass.isAtHead ? 0 : pass.fractionCompleted)
    let read = min(blocks / Double(max(decoder.description.blockCount, 1)), 1)
    return (read + Double(layers.count) / Double(max(layerCount, 1))) / 2
  }

  /// Works for a while.
  ///
  /// - Returns: whether there is more to do.
  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> Bool {
    if let next = waiting.last {
      if try tries(next.number, at: next.site, in: &workspace) { waiting.removeLast() }
      // What was observed is forgotten with the next sweep: not before all layers have been tried.
      if waiting.isEmpty, !isAtEnd { pass.begin(observing: need, advancing: true) }
      return !waiting.isEmpty || !isAtEnd
    }
    let (block, isAtHead) = (pass.block, pass.isAtHead)
    if pass.step(with: decoder) { return true }
    let model = workspace.description
    let sites = isAtHead ? [.head] : InputSite.sites(ofBlock: block)
    for site in sites {
      moments[site] = pass.statistics(at: site).map(\.withoutGram)
      for (number, layer) in model.layers.enumerated()
      where layer.site == site {
        waiting.append((number: number, site: site))
      }
    }
    if isAtHead { isAtEnd = true }
    return !waiting.isEmpty || !isAtEnd
  }

  /// Tries schemes on a layer.
  ///
  /// - Returns: whether all are.
  private mutating func tries(
    _ number: Int, at site: InputSite?, in workspace: inout Workspace
  ) throws(JobFailure) -> Bool {
    if let site, self.site?.site != site {
      self.site = SiteInputs(
        site, fit: pass.statistics(at: site, of: splits ? .even : .all),
        score: pass.statistics(at: site, of: splits ? .odd : .all))
    }
    let layer = workspace.description.layers[number]
    guard let fisher = fishers[layer.name] else { return true }
    guard var trial else {
      trial = try LayerTrials(number, fisher, candidates, in: workspace)
      return false
    }
    self.trial = nil
    var inputs = site == nil ? SiteInputs.lookup(columns: layer.columns) : self.site
    let goesOn = try trial.step(with: &inputs, in: workspace)
    if site != nil { self.site = inputs }
    if goesOn {
      self.trial = trial
      return false
    }
    if let costs = trial.costs(of: layer, in: workspace) { layers.append(costs) }
    return true
  }
}
