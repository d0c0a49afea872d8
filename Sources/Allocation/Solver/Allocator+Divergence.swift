/// The fewest bytes at a KLD.
extension Allocator {
  func trimmed(to target: Double) -> Draft {
    let taken = min(divergenceAfter.partitioningIndex { $0 <= target }, increments.count)
    return trimmed(levels(after: taken), taken: taken, to: target)
  }

  /// nil if the rest does not reach the target beside the item.
  func trimmed(to target: Double, holding held: HeldItem) -> Draft? {
    var levels = levels(after: 0)
    levels[held.item] = held.level
    var divergence = makeDraft(places(ofLevels: levels)).divergence
    var taken = 0
    while divergence > target, taken < increments.count {
      let increment = increments[taken]
      taken += 1
      guard increment.item != held.item else { continue }
      levels[increment.item] += 1
      divergence -= increment.gain
    }
    let draft = trimmed(levels, taken: taken, to: target, holding: held.item)
    return draft.divergence <= target ? draft : nil
  }

  /// Gives back what the first increments save more than is asked for, the least useful bytes first.
  private func trimmed(
    _ start: [Int], taken: Int, to target: Double, holding held: Int? = nil
  ) -> Draft {
    var levels = start
    var draft = makeDraft(places(ofLevels: levels))
    for increment in increments[..<taken].reversed()
    where increment.item != held && levels[increment.item] == increment.step + 1
      && draft.divergence + increment.gain <= target
    {
      levels[increment.item] -= 1
      move(&draft, item: increment.item, to: choices[increment.item].hull[increment.step])
    }
    let savings = items.indices.compactMap { item -> (item: Int, bytes: Int)? in
      guard let place = smallestSufficient(item, in: draft, target: target) else { return nil }
      let points = choices[item].points
      return (item, points[draft.places[item]].bytes - points[place].bytes)
    }
    for (item, _) in savings.sorted(by: { $0.bytes > $1.bytes }) {
      if let place = smallestSufficient(item, in: draft, target: target) {
        move(&draft, item: item, to: place)
      }
    }
    return draft
  }

  /// The smallest of an item's options that still reaches the target; nil if it has that already.
  private func smallestSufficient(_ item: Int, in draft: Draft, target: Double) -> Int? {
    let points = choices[item].points
    let place = draft.places[item]
    guard place > 0 else { return nil }
    let limit = points[place].divergence + target - draft.divergence
    let best = points[..<place].partitioningIndex { $0.divergence <= limit }
    return best < place ? best : nil
  }

  func relaxed(divergence target: Double) -> Relaxation {
    let taken = divergenceAfter.partitioningIndex { $0 <= target }
    guard taken > 0, taken <= increments.count else {
      return Relaxation(least: Double(taken == 0 ? smallestBytes : largestBytes), multiplier: 0)
    }
    let slope = increments[taken - 1].slope
    let least = Double(bytesAfter[taken - 1]) + (divergenceAfter[taken - 1] - target) / slope
    return Relaxation(least: least, multiplier: 1 / slope)
  }
}
