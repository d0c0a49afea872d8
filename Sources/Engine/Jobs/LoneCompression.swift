import Checkpoints
import Compression
import Inference

/// Compresses layers of the model one by one, each as if all others stayed as they are.
///
/// Methods that need all pairs of a layer's inputs see them in a pass of the original model over the calibration text,
/// which holds one block at a time: layers have to come in the order of blocks, embedding and head last.
struct LoneCompression {
  private let schemes: [Int: Scheme]
  private let decoder: Decoder
  private var pass: ActivationPass?
  /// Where the last sweep observed.
  private var observed: Int?
  private var isSweeping = false
  private var inputs: SiteInputs?
  private var work: CompressionWork?

  /// - Parameters:
  ///   - schemes: of the layers, by their place in the model.
  ///   - workspace: calibrated, if a scheme needs it.
  /// - Throws: ``JobFailure`` when the model cannot be loaded or read the calibration text.
  init(_ schemes: [Int: Scheme], in workspace: inout Workspace) throws(JobFailure) {
    self.schemes = schemes
    decoder = try workspace.models.original()
    guard schemes.contains(where: { workspace.need(of: $1, for: $0) == .gram }) else { return }
    guard let calibration = workspace.calibration else {
      throw JobFailure(sentence: "the model is not calibrated; calibrate first")
    }
    do { pass = try ActivationPass(calibration.windows, decoder: decoder) } catch {
      throw JobFailure(error)
    }
  }

  /// Works towards a layer for a while.
  ///
  /// - Returns: the layer's weights, once they are there; nil before.
  mutating func step(
    toward number: Int, in workspace: inout Workspace
  ) throws(JobFailure) -> LayerResult? {
    guard let scheme = schemes[number] else { return nil }
    let site = workspace.description.layers[number].site
    if let site, workspace.need(of: scheme, for: number) == .gram {
      guard !observe(site) else { return nil }
      let (now, end) = (workspace.now, workspace.now() + stepLength)
      guard inputs?.stepFactor(scheme.sweepOrder, until: { now() >= end }) != true else {
        return nil
      }
    } else {
      inputs = nil
    }
    // No context that a plan has: the result hangs on no other layer.
    let key = LayerCache.Key(layer: number, scheme: scheme, context: .min)
    var work =
      self.work?.key == key
      ? self.work
      : CompressionWork(
        key, inputs: inputs?.fit, factor: scheme.sweepOrder.flatMap { inputs?.factors[$0] })
    // Held in one place only while it works, so that nothing of it is copied.
    self.work = nil
    if let result = try work?.step(in: &workspace) { return result }
    self.work = work
    return nil
  }

  /// Goes on until a site has been observed.
  ///
  /// - Returns: whether there is more to do.
  private mutating func observe(_ site: InputSite) -> Bool {
    if inputs?.site == site { return false }
    guard var pass else { return false }
    self.pass = nil
    defer { self.pass = pass }
    let place = site.block ?? decoder.description.blockCount
    if !isSweeping, observed == place {
      inputs = SiteInputs(site, fit: pass.statistics(at: site), score: nil)
      return false
    }
    if !isSweeping {
      let isThere = pass.block == place
      if isThere { observed = place }
      pass.begin(observing: isThere ? .gram : .nothing, advancing: true)
    }
    isSweeping = pass.step(with: decoder)
    return true
  }
}
