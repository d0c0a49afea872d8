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
        windows, decoder: decoder, splitsWindows: splits, oddWeights: weights)
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
    if let costs = trial.costs(of: layer) { layers.append(costs) }
    return true
  }
}

/// What the layers of a site read, and the factors that were made of it.
struct SiteInputs {
  let site: InputSite?
  /// What methods fit.
  let fit: InputStatistics?
  /// What they are scored on.
  let score: InputStatistics?
  private(set) var factors: [HessianFactor.Order: HessianFactor] = [:]
  private var factorization: HessianFactorization?

  init(_ site: InputSite?, fit: InputStatistics?, score: InputStatistics?) {
    self.site = site
    self.fit = fit
    self.score = score
  }

  /// What an embedding reads that is only looked up.
  static func lookup(columns: Int) -> SiteInputs {
    let inputs = InputStatistics.lookup(columns: columns)
    return SiteInputs(nil, fit: inputs, score: inputs)
  }

  /// Makes the factor for an order of columns.
  ///
  /// - Returns: whether there is more to do.
  mutating func stepFactor(_ order: HessianFactor.Order?, until isLate: () -> Bool) -> Bool {
    guard let order, factors[order] == nil, let gram = fit?.gram else { return false }
    var work = factorization ?? HessianFactorization(gram: gram, ordering: order)
    factorization = nil
    repeat { work.step() } while !work.isFinished && !isLate()
    factors[order] = work.finish()
    if factors[order] == nil { factorization = work }
    return factors[order] == nil
  }
}

/// The trials of one layer.
private struct LayerTrials {
  private let number: Int
  private let matrix: LayerWeights
  private let fisher: LayerFisher
  private var sampler: TrialSampler
  private var rows: TrialRows?
  private var candidates: [Scheme]
  private var trials: [SchemeTrial] = []

  init(
    _ number: Int, _ fisher: LayerFisher, _ candidates: [Scheme], in workspace: Workspace
  ) throws(JobFailure) {
    self.number = number
    self.fisher = fisher
    let shape = workspace.shapes[number]
    self.candidates = candidates.filter { scheme in
      do throws(PlanError) {
        try scheme.validated(for: shape)
        return true
      } catch {
        return false
      }
    }.reversed()
    matrix = try workspace.matrix(of: number)
    sampler = TrialSampler(matrix: matrix, layer: shape.name, fisher: fisher)
  }

  /// Works for a while.
  ///
  /// - Returns: whether there is more to do.
  mutating func step(
    with inputs: inout SiteInputs?, in workspace: Workspace
  ) throws(JobFailure) -> Bool {
    let shape = workspace.shapes[number]
    let end = workspace.now() + stepLength
    do throws(CompressionError) {
      repeat {
        guard let rows else {
          try sampler.step(rows: max(1, (1 << 18) / shape.columns))
          rows = sampler.finish()
          continue
        }
        guard let scheme = candidates.last else { return false }
        if inputs?.stepFactor(scheme.sweepOrder, until: { workspace.now() >= end }) == true {
          return true
        }
        candidates.removeLast()
        trials.append(try trial(scheme, rows, inputs, workspace))
      } while workspace.now() < end
    } catch {
      throw JobFailure(error)
    }
    return true
  }

  private func trial(
    _ scheme: Scheme, _ rows: TrialRows, _ inputs: SiteInputs?, _ workspace: Workspace
  ) throws(CompressionError) -> SchemeTrial {
    let shape = workspace.shapes[number]
    let trial = try LayerTrial(
      matrix: matrix, shape: shape, scheme: scheme,
      profile: workspace.profile(of: number), statistics: inputs?.fit,
      factor: scheme.sweepOrder.flatMap { inputs?.factors[$0] })
    let (before, after) = trial.compressed(rows: rows.rows)
    let found = rows.divergence(
      before: before, after: after,
      gram: scheme.calibrationNeed == .gram ? inputs?.score?.gram : nil)
    let size = LayerSize.predicted(
      for: shape, scheme: scheme, original: workspace.originalBytes(of: number))
    return SchemeTrial(
      scheme: scheme, bytes: size.total, divergence: found.value,
      standardError: found.standardError)
  }

  /// What was found.
  func costs(of layer: LayerDescription) -> LayerCosts? {
    rows.map { rows in
      LayerCosts(
        layer: layer.name, role: layer.role, originalBytes: layer.bytes, energy: rows.energy,
        fisher: fisher, trials: trials)
    }
  }
}

extension InputStatistics {
  /// Of rows that are looked up one by one: columns weigh alike, and do not depend on each other.
  static func lookup(columns: Int) -> InputStatistics {
    var gram = Matrix(rows: columns, columns: columns)
    for column in 0..<columns { gram[column, column] = 1 }
    return InputStatistics(
      tokens: 1, means: Array(repeating: 0, count: columns),
      secondMoments: Array(repeating: 1, count: columns), gram: gram)
  }
}
