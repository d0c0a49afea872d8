import Compression
import Inference
import Procedures
import Work

/// How fast this machine is, as far as jobs have found out.
struct KnownSpeeds {
  /// Of the model with nothing of it compressed.
  var decoder: DecoderSpeed?
  var compression: CompressionSpeed?
}

extension Workspace {
  /// Estimates how long a job takes, after trying a little of its work if that was not done before.
  ///
  /// - Parameters:
  ///   - turn: Of the job.
  ///   - make: Makes the estimate.
  /// - Returns: What was made.
  /// - Throws: ``JobFailure`` for a model that cannot be loaded, and when the job is to end.
  func estimated<Found>(
    _ turn: Turn, _ make: (inout WorkEstimate, Pace) throws(JobFailure) -> Found
  ) throws(JobFailure) -> Found {
    let pace = Pace { _ throws(JobFailure) in try turn.tick() }
    let decoder = try speed(pace)
    let compression =
      speeds.compression ?? CompressionSpeed(on: models.sharedPool(), now: now)
    speeds.compression = compression
    try turn.tick()
    var estimate = WorkEstimate(of: description, speed: decoder, compression: compression)
    let found = try make(&estimate, pace)
    speeds.compression = estimate.compression
    return found
  }

  /// How fast the model runs with nothing of it compressed; found out once.
  func speed(_ pace: Pace) throws(JobFailure) -> DecoderSpeed {
    if let known = speeds.decoder { return known }
    let found = try speed(of: models.original(), pace)
    speeds.decoder = found
    return found
  }

  /// How fast a model runs; some tens of milliseconds are spent on it.
  func speed(of decoder: Decoder, _ pace: Pace) throws(JobFailure) -> DecoderSpeed {
    do { return try decoder.speed(now: now, pace: pace) } catch { throw JobFailure(error) }
  }
}
