/// What long work is handed to say how far it has come: between two bits of it others have their turn, and it is told to
/// end if nobody wants it any more.
///
/// Work ticks every few milliseconds. It says which share of itself is done; a part of it is handed a part of the pace.
public struct Pace {
  private let hear: (Double) throws(WorkFailure) -> Void
  private let start: Double
  private let length: Double

  /// A pace for all of some work.
  ///
  /// - Parameter hear: Called with the share of the work that is done, 0...1; throws to end the work.
  public init(_ hear: @escaping (Double) throws(WorkFailure) -> Void) {
    self.init(hear, start: 0, length: 1)
  }

  private init(
    _ hear: @escaping (Double) throws(WorkFailure) -> Void, start: Double, length: Double
  ) {
    (self.hear, self.start, self.length) = (hear, start, length)
  }

  /// The pace of work that nobody watches and nobody ends.
  public static var unwatched: Pace { Pace { _ in } }

  /// Says that a share of the work is done, and returns when the work is to go on.
  ///
  /// - Throws: ``WorkFailure`` when it is not.
  public func tick(_ share: Double) throws(WorkFailure) { try hear(start + length * share) }

  /// The same pace, which ends the work once it is wanted no more.
  public func ending(unless isWanted: @escaping () -> Bool) -> Pace {
    Pace { share throws(WorkFailure) in
      try tick(share)
      guard isWanted() else { throw .cancelled }
    }
  }

  /// The pace of a part of the work, from one share of the whole to another.
  public func part(from first: Double, to last: Double) -> Pace {
    Pace(hear, start: start + length * first, length: length * (last - first))
  }

  /// The pace of one of `count` parts of equal length.
  public func part(_ index: Int, of count: Int) -> Pace {
    part(from: Double(index) / Double(count), to: Double(index + 1) / Double(count))
  }

  /// The pace of work that does not count, between one part and the next.
  public func held(at index: Int, of count: Int) -> Pace {
    let share = Double(index) / Double(count)
    return part(from: share, to: share)
  }

  /// Elements one after the other, each with its equal part of the pace.
  public func parts<Elements: Collection>(
    _ elements: Elements
  ) -> some Sequence<(element: Elements.Element, pace: Pace)> {
    elements.enumerated().lazy.map { (element: $1, pace: part($0, of: elements.count)) }
  }
}
