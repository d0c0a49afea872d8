import Checkpoints
import Compression
import Inference
import Tensors

/// Compresses layers that need all pairs of their inputs' second moments, block by block.
///
/// The calibration text goes through the model once more. Each block is observed with the compressed blocks before it in
/// place, its layers are compressed, and then the text goes on through them, so that later blocks make up for what
/// earlier ones lost. Layers of the same block that need no sweep are in place when it is observed, others are not.
/// AWQ's scales of a block are all searched from that observation, before any of its AWQ layers is compressed.
struct BlockSweep {
  private enum Phase {
    case arriving
    case observing
    case compressing
    case advancing
  }

  private var phase = Phase.arriving
  private var pass: ActivationPass
  private let original: Decoder
  private var decoder: Decoder
  /// What the hidden states come from.
  private var origin: Int
  /// What the layers that are being compressed read.
  private var inputs: SiteInputs?
  private var work: CompressionWork?
  /// The scales of the block's AWQ layers.
  private var scaling: FoldSearch?

  /// A sweep that stands before the first block.
  ///
  /// - Throws: ``JobFailure`` when the model cannot be loaded.
  init(in workspace: inout Workspace) throws(JobFailure) {
    guard let calibration = workspace.calibration else {
      throw JobFailure(sentence: "the model is not calibrated; calibrate first")
    }
    original = try workspace.models.original()
    var decoder = original
    for (number, layer) in workspace.description.layers.enumerated() where layer.block == nil {
      try Self.put(number, of: original, from: workspace, into: &decoder)
    }
    self.decoder = decoder
    do {
      pass = try ActivationPass(calibration.windows, decoder: decoder)
    } catch {
      throw JobFailure(error)
    }
    origin = workspace.lineage.before[0]
  }

  /// Whether what it has come through is still what the plan says.
  func isUpToDate(in workspace: Workspace) -> Bool {
    switch phase {
    case .advancing: workspace.lineage.through[pass.block] == origin
    case .arriving, .observing, .compressing: workspace.lineage.before[pass.block] == origin
    }
  }

  /// Works for a while.
  ///
  /// - Returns: false once no layer waits for it.
  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> Bool {
    guard !workspace.plan.unswept.isEmpty else { return false }
    switch phase {
    case .arriving:
      try putBlock(from: workspace, swept: false)
      if waiting(in: workspace).isEmpty {
        try goOn(workspace)
      } else {
        pass.begin(observing: .gram, advancing: false)
        phase = .observing
      }
    case .observing:
      if !pass.step(with: decoder) { phase = .compressing }
    case .compressing:
      guard let next = waiting(in: workspace).first else {
        try goOn(workspace)
        break
      }
      try compress(next.number, at: next.site, in: &workspace)
    case .advancing:
      guard !pass.step(with: decoder) else { break }
      origin = workspace.lineage.before[pass.block]
      phase = .arriving
    }
    return true
  }

  /// The layers of the current block, or the head, that wait for the sweep; those that read the same stand together.
  private func waiting(in workspace: Workspace) -> [(number: Int, site: InputSite)] {
    let model = workspace.description
    let sites = pass.isAtHead ? [.head] : InputSite.sites(ofBlock: pass.block)
    let waiting = workspace.plan.unswept.compactMap { number in
      model.layers[number].site.map { (number: number, site: $0) }
    }
    return sites.flatMap { site in waiting.filter { $0.site == site } }
  }

  private mutating func goOn(_ workspace: Workspace) throws(JobFailure) {
    (inputs, work, scaling) = (nil, nil, nil)
    guard !pass.isAtHead else {
      throw JobFailure(
        sentence: "some layers read nothing that calibration could observe; "
          + "give them a method that needs none")
    }
    try putBlock(from: workspace, swept: true)
    origin = workspace.lineage.through[pass.block]
    pass.begin(observing: .nothing, advancing: true)
    phase = .advancing
  }

  /// Makes a factor of the site's moments, then compresses a layer with it.
  private mutating func compress(
    _ number: Int, at site: InputSite, in workspace: inout Workspace
  ) throws(JobFailure) {
    if inputs?.site != site {
      let found = pass.statistics(at: site)
      (inputs, work) = (SiteInputs(site, fit: found, score: nil), nil)
    }
    let key = workspace.key(ofPlanFor: number)
    let (order, end) = (key.scheme.sweepOrder, workspace.now() + stepLength)
    let now = workspace.now
    guard inputs?.stepFactor(order, until: { now() >= end }) != true else { return }
    guard try !searchScales(for: key, in: &workspace) else { return }
    var work =
      self.work?.key == key
      ? self.work
      : CompressionWork(
        key, inputs: inputs?.fit, factor: order.flatMap { inputs?.factors[$0] },
        fold: key.scheme.usesAWQ ? scaling?.fold(of: number) ?? .none : .none)
    self.work = nil
    let result = try work?.step(in: &workspace)
    if let result {
      workspace.accept(result, for: key)
    } else {
      self.work = work
    }
  }

  /// Searches the scales of the current block's AWQ layers for a while, if a layer needs them.
  ///
  /// - Returns: whether there is more to do.
  private mutating func searchScales(
    for key: LayerCache.Key, in workspace: inout Workspace
  ) throws(JobFailure) -> Bool {
    guard key.scheme.usesAWQ else { return false }
    if scaling?.context != key.context {
      let mappings = ScaleMapping.mappings(
        ofBlock: pass.block, schemes: workspace.plan.keys.map(\.scheme), of: workspace.description)
      var inputs: [InputSite: InputStatistics] = [:]
      for mapping in mappings { inputs[mapping.site] = pass.statistics(at: mapping.site) }
      scaling = FoldSearch(mappings, inputs: inputs, context: key.context)
    }
    return try scaling?.step(in: &workspace) ?? false
  }

  /// Gives the decoder what the plan makes of the current block's layers, as far as it is there; layers of the sweep
  /// stay the checkpoint's unless `swept`.
  private mutating func putBlock(
    from workspace: Workspace, swept: Bool
  ) throws(JobFailure) {
    for (number, layer) in workspace.description.layers.enumerated()
    where layer.block == pass.block
      && (swept || workspace.need(of: workspace.key(ofPlanFor: number).scheme, for: number) < .gram)
    {
      try Self.put(number, of: original, from: workspace, into: &decoder)
    }
  }

  private static func put(
    _ number: Int, of original: Decoder, from workspace: Workspace, into decoder: inout Decoder
  ) throws(JobFailure) {
    guard !workspace.plan.uncompressed.contains(number),
      workspace.models.result(of: number) != nil
    else { return }
    do {
      try workspace.models.put(number, from: original, into: &decoder)
    } catch {
      throw JobFailure(error)
    }
  }
}
