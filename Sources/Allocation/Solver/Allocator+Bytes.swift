/// The least KLD in so many bytes.
extension Allocator {
  func filled(to budget: Int) -> Draft {
    let taken = bytesAfter.partitioningIndex { $0 > budget } - 1
    return filled(levels(after: taken), from: taken, to: budget)
  }

  /// nil if the rest does not fit beside the item.
  func filled(to budget: Int, holding held: HeldItem) -> Draft? {
    var levels = levels(after: 0)
    levels[held.item] = held.level
    let draft = filled(levels, from: 0, to: budget, holding: held.item)
    return draft.bytes <= budget ? draft : nil
  }

  /// Takes what fits of the increments from one on.
  private func filled(
    _ start: [Int], from first: Int, to budget: Int, holding held: Int? = nil
  ) -> Draft {
    var levels = start
    var left = budget - makeDraft(places(ofLevels: start)).bytes
    for increment in increments[first...]
    where increment.item != held && levels[increment.item] == increment.step
      && increment.bytes <= left
    {
      levels[increment.item] += 1
      left -= increment.bytes
    }
    var draft = makeDraft(places(ofLevels: levels))
    // Points above the hull fit where no step along it does.
    let gains = items.indices.compactMap { item -> (item: Int, gain: Double)? in
      guard let place = bestFitting(item, in: draft, budget: budget) else { return nil }
      let points = choices[item].points
      return (item, points[draft.places[item]].divergence - points[place].divergence)
    }
    for (item, _) in gains.sorted(by: { $0.gain > $1.gain }) {
      if let place = bestFitting(item, in: draft, budget: budget) {
        move(&draft, item: item, to: place)
      }
    }
    return draft
  }

  /// The largest of an item's options that still fits; nil if it has that already.
  private func bestFitting(_ item: Int, in draft: Draft, budget: Int) -> Int? {
    let points = choices[item].points
    let place = draft.places[item]
    guard place + 1 < points.count else { return nil }
    let limit = points[place].bytes + budget - draft.bytes
    let best = points[(place + 1)...].partitioningIndex { $0.bytes > limit } - 1
    return best > place ? best : nil
  }

  func relaxed(bytes budget: Int) -> Relaxation {
    let taken = bytesAfter.partitioningIndex { $0 > budget } - 1
    guard taken < increments.count else {
      return Relaxation(least: leastDivergence, multiplier: 0)
    }
    let slope = increments[taken].slope
    let least = divergenceAfter[taken] - slope * Double(budget - bytesAfter[taken])
    return Relaxation(least: max(least, 0), multiplier: slope)
  }
}
