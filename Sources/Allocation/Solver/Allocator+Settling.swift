extension Allocator {
  /// Takes changes back that are hardly worth it, one by one and in pairs of a larger and a smaller option.
  func settle(_ draft: inout Draft, near current: [Int?], goal: AllocationGoal) {
    let limit: (bytes: Int, divergence: Double) =
      switch goal {
      case .bytes(let budget): (budget, draft.divergence * (1 + Self.settling))
      case .divergence(let target): (Int(Double(draft.bytes) * (1 + Self.settling)), target)
      }
    var returns = zip(items.indices, current).compactMap { item, option -> Return? in
      let points = choices[item].points
      guard let place = points.firstIndex(where: { $0.option == option }),
        place != draft.places[item]
      else { return nil }
      let now = points[draft.places[item]]
      return Return(
        item: item, place: place, bytes: points[place].bytes - now.bytes,
        divergence: points[place].divergence - now.divergence)
    }
    func isAllowed(_ parts: Return...) -> Bool {
      parts.reduce(draft.bytes) { $0 + $1.bytes } <= limit.bytes
        && parts.reduce(draft.divergence) { $0 + $1.divergence } <= limit.divergence
    }
    returns.sort { abs($0.divergence) < abs($1.divergence) }
    for (index, first) in returns.enumerated() where draft.places[first.item] != first.place {
      if isAllowed(first) {
        move(&draft, item: first.item, to: first.place)
        continue
      }
      let partner = returns[(index + 1)...].prefix(Self.partners).first {
        draft.places[$0.item] != $0.place && isAllowed(first, $0)
      }
      guard let partner else { continue }
      move(&draft, item: first.item, to: first.place)
      move(&draft, item: partner.item, to: partner.place)
    }
  }
}

/// An item's way back to the option that it had.
private struct Return {
  let item: Int
  let place: Int
  /// What is added by it.
  let bytes: Int
  let divergence: Double
}
