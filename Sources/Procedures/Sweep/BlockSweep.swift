import Checkpoints
import Compression
import Inference
import Tensors
import Work

/// Compresses layers that need all pairs of their inputs' second moments, block by block.
///
/// The calibration text goes through the model once more. Each block is observed with the compressed blocks before it in
/// place, its layers are compressed, and then the text goes on through them, so that later blocks make up for what
/// earlier ones lost. Layers of the same block that need no sweep are in place when it is observed, others are not.
/// AWQ's scales of a block are all searched from that observation, before any of its AWQ layers is compressed.
public struct BlockSweep {
  private let model: any SweptModel
  private let layers: ModelLayers
  private let original: Decoder
  private let pool: WorkerPool
  private var decoder: Decoder
  private var pass: ActivationPass

  /// A sweep that stands before the first block.
  ///
  /// - Parameters:
  ///   - model: what is compressed.
  ///   - layers: of it.
  ///   - original: the same, nothing of it compressed.
  ///   - windows: the calibration text.
  ///   - pool: threads that share the work.
  /// - Throws: ``WorkFailure`` when the model cannot read the text.
  public init(
    _ model: any SweptModel, of layers: ModelLayers, original: Decoder, windows: TokenWindows,
    on pool: WorkerPool
  ) throws(WorkFailure) {
    self.model = model
    self.layers = layers
    self.original = original
    self.pool = pool
    var decoder = original
    for (number, layer) in layers.description.layers.enumerated() where layer.block == nil {
      try model.put(number, from: original, into: &decoder)
    }
    self.decoder = decoder
    do {
      pass = try ActivationPass(windows, decoder: decoder)
    } catch {
      throw WorkFailure(error)
    }
  }

  /// Goes through the blocks until no layer waits for it.
  ///
  /// - Parameters:
  ///   - pace: Of the sweep; the share that it hears means nothing, for layers may come to wait and cease to.
  ///   - hasMoved: Called when the text has come to the next block.
  /// - Throws: ``WorkFailure`` for a layer that cannot be compressed, and when the pace ends it.
  public mutating func run(
    pace: Pace, hasMoved: (_ block: Int, _ isThrough: Bool) -> Void
  ) throws(WorkFailure) {
    while !model.unsweptLayers.isEmpty {
      try putBlock(swept: false)
      if !waiting.isEmpty {
        try sweep(observing: .gram, advancing: false, pace: pace)
        try compressBlock(pace: pace)
      }
      guard !model.unsweptLayers.isEmpty else { return }
      guard !pass.isAtHead else {
        throw WorkFailure(
          sentence: "some layers read nothing that calibration could observe; "
            + "give them a method that needs none")
      }
      try putBlock(swept: true)
      hasMoved(pass.block, true)
      try sweep(observing: .nothing, advancing: true, pace: pace)
      hasMoved(pass.block, false)
    }
  }

  private mutating func sweep(
    observing need: CalibrationNeed, advancing advances: Bool, pace: Pace
  ) throws(WorkFailure) {
    do {
      try pass.sweep(observing: need, advancing: advances, with: decoder, pace: pace)
    } catch {
      throw WorkFailure(error)
    }
  }

  /// The layers of the current block, or the head, that wait for the sweep; those that read the same stand together.
  private var waiting: [(number: Int, site: InputSite)] {
    let sites = pass.isAtHead ? [.head] : InputSite.sites(ofBlock: pass.block)
    let waiting = model.unsweptLayers.compactMap { number in
      layers.description.layers[number].site.map { (number: number, site: $0) }
    }
    return sites.flatMap { site in waiting.filter { $0.site == site } }
  }

  private func compressBlock(pace: Pace) throws(WorkFailure) {
    var (knownSite, inputs) = (InputSite?.none, SiteInputs(fit: nil))
    var scaling: FoldSearch?
    while let (number, site) = waiting.first {
      if knownSite != site {
        let found = pass.statistics(at: site)
        guard found?.secondMoments.firstNonFinite == nil else {
          throw WorkFailure(InferenceError.notFinite(place: pass.place))
        }
        (knownSite, inputs) = (site, SiteInputs(fit: found))
      }
      let scheme = model.scheme(of: number)
      let factor = try inputs.factor(for: scheme, pace: pace)
      if scheme.usesAWQ, scaling?.fits(model.scheme) != true {
        scaling = try FoldSearch(
          ofBlock: pass.block, scheme: model.scheme, of: layers,
          inputs: { pass.statistics(at: $0) }, on: pool, pace: pace)
      }
      let fold = scheme.usesAWQ ? scaling : nil
      let isWanted = { [model] in
        model.scheme(of: number) == scheme && fold?.fits(model.scheme) != false
      }
      let result: LayerResult
      do throws(WorkFailure) {
        result = try layers.compressed(
          number, scheme, statistics: inputs.fit, factor: factor,
          fold: fold?.fold(of: number) ?? .none, on: pool, pace: pace.ending(unless: isWanted))
      } catch {
        // The layer is to become something else by now.
        guard isWanted() else { continue }
        throw error
      }
      model.accept(result, of: number)
      try pace.tick(0)
    }
  }

  /// Gives the decoder what the current block's layers have become, as far as they have; layers of the sweep stay the
  /// checkpoint's unless `swept`.
  private mutating func putBlock(swept: Bool) throws(WorkFailure) {
    for (number, layer) in layers.description.layers.enumerated()
    where layer.block == pass.block
      && (swept || layers.need(of: model.scheme(of: number), for: number) < .gram)
    {
      try model.put(number, from: original, into: &decoder)
    }
  }
}
