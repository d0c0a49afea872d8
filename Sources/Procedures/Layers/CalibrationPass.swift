import Checkpoints
import Compression
import Inference
import Tensors
import Work

extension Decoder {
  /// Second moments of what is read at every site, found in a pass over a text.
  ///
  /// - Throws: ``WorkFailure`` when the model cannot read the text, or computes what is no number.
  public func moments(
    of windows: TokenWindows, pace: Pace
  ) throws(WorkFailure) -> [InputSite: InputStatistics] {
    var moments: [InputSite: InputStatistics] = [:]
    do throws(InferenceError) {
      var pass = try ActivationPass(windows, decoder: self)
      for (block, pace) in pace.parts(0...description.blockCount) {
        let (isAtHead, place) = (pass.isAtHead, pass.place)
        try pass.sweep(observing: .moments, advancing: true, with: self, pace: pace)
        for site in isAtHead ? [.head] : InputSite.sites(ofBlock: block) {
          let found = pass.statistics(at: site)
          guard found?.secondMoments.firstNonFinite == nil else {
            throw .notFinite(place: place)
          }
          moments[site] = found
        }
      }
    } catch {
      throw WorkFailure(error)
    }
    return moments
  }
}
