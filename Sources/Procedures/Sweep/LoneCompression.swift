import Checkpoints
import Compression
import Inference
import Tensors
import Work

/// Compresses layers of the model one by one, each as if all others stayed as they are.
///
/// Methods that need all pairs of a layer's inputs see them in a pass of the original model over the calibration text,
/// which holds one block at a time: layers have to come in the order of blocks, embedding and head last.
public struct LoneCompression {
  private let layers: ModelLayers
  private let decoder: Decoder
  private let pool: WorkerPool
  /// Nil where no layer needs all pairs of its inputs.
  private var pass: ActivationPass?
  /// The block that was observed, or the head, and the inputs that were asked for there.
  private var observed: Int?
  private var site: InputSite?
  private var inputs = SiteInputs(fit: nil)

  /// - Parameters:
  ///   - layers: of the model.
  ///   - decoder: the model, nothing of it compressed.
  ///   - windows: the calibration text; nil if no scheme needs a pass over it.
  ///   - pool: threads that share the work.
  /// - Throws: ``WorkFailure`` when the model cannot read the text.
  public init(
    of layers: ModelLayers, decoder: Decoder, windows: TokenWindows?, on pool: WorkerPool
  ) throws(WorkFailure) {
    self.layers = layers
    self.decoder = decoder
    self.pool = pool
    do {
      if let windows { pass = try ActivationPass(windows, decoder: decoder) }
    } catch {
      throw WorkFailure(error)
    }
  }

  /// Compresses a layer.
  ///
  /// - Parameters:
  ///   - number: the layer.
  ///   - scheme: what it is to become.
  ///   - statistics: what is known of its inputs without a pass.
  ///   - pace: of the layer, with the pass's way to it.
  /// - Returns: the layer.
  /// - Throws: ``WorkFailure`` when it cannot be compressed so, or the pace ends it.
  public mutating func compressed(
    _ number: Int, _ scheme: Scheme, statistics: InputStatistics?, pace: Pace
  ) throws(WorkFailure) -> LayerResult {
    guard let site = layers.description.layers[number].site,
      layers.need(of: scheme, for: number) == .gram
    else {
      return try layers.compressed(
        number, scheme, statistics: statistics, on: pool, pace: pace)
    }
    try observe(site, pace: pace.part(0, of: 3))
    let factor = try inputs.factor(for: scheme, pace: pace.part(1, of: 3))
    return try layers.compressed(
      number, scheme, statistics: inputs.fit, factor: factor, on: pool, pace: pace.part(2, of: 3))
  }

  /// Goes on until a site has been observed.
  private mutating func observe(_ site: InputSite, pace: Pace) throws(WorkFailure) {
    guard self.site != site, var pass = pass.take() else { return }
    let place = site.block ?? decoder.description.blockCount
    precondition(observed == place || pass.block <= place, "layers come in the order of blocks")
    do throws(InferenceError) {
      while observed != place {
        let isThere = pass.block == place
        try pass.sweep(
          observing: isThere ? .gram : .nothing, advancing: true, with: decoder, pace: pace)
        if isThere { observed = place }
      }
    } catch {
      throw WorkFailure(error)
    }
    inputs = SiteInputs(fit: pass.statistics(at: site))
    self.site = site
    self.pass = pass
  }
}
