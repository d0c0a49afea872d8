// MARK: - What Python's str cuts, strips and replaces

extension TemplateText {
  /// Whether Python counts a scalar as white space.
  static func isSpace(_ element: UInt32) -> Bool {
    switch element & ~inputMark {
    case 0x09...0x0d, 0x1c...0x20, 0x85, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f,
      0x205f, 0x3000:
      true
    default: false
    }
  }

  /// Without the characters at its ends that are among `characters`, or white space if that is nil.
  func stripped(_ characters: TemplateText? = nil, left: Bool = true, right: Bool = true)
    -> TemplateText
  {
    let set = characters.map { Set($0.scalars) }
    func isStripped(_ element: UInt32) -> Bool {
      set.map { $0.contains(element & ~Self.inputMark) } ?? Self.isSpace(element)
    }
    var (start, end) = (0, count)
    if left { while start < end, isStripped(elements[start]) { start += 1 } }
    if right { while start < end, isStripped(elements[end - 1]) { end -= 1 } }
    return self[start..<end]
  }

  /// The parts between occurrences of `separator`, at most `limit` cuts from the left; every cut if `limit` is negative.
  func split(_ separator: TemplateText, limit: Int) -> [TemplateText] {
    var parts: [TemplateText] = []
    var start = 0
    while limit < 0 || parts.count < limit, let next = firstIndex(of: separator, from: start) {
      parts.append(self[start..<next])
      start = next + separator.count
    }
    return parts + [self[start..<count]]
  }

  /// As ``split(_:limit:)``, with the cuts counted from the right.
  func splitFromRight(_ separator: TemplateText, limit: Int) -> [TemplateText] {
    reversed.split(separator.reversed, limit: limit).reversed().map(\.reversed)
  }

  /// The words between runs of white space, at most `limit` cuts; what is left over stays whole.
  func words(limit: Int) -> [TemplateText] {
    var words: [TemplateText] = []
    var place = 0
    while true {
      while place < count, Self.isSpace(elements[place]) { place += 1 }
      guard place < count else { return words }
      if limit >= 0, words.count == limit {
        return words + [self[place..<count]]
      }
      let start = place
      while place < count, !Self.isSpace(elements[place]) { place += 1 }
      words.append(self[start..<place])
    }
  }

  func wordsFromRight(limit: Int) -> [TemplateText] {
    reversed.words(limit: limit).reversed().map(\.reversed)
  }

  /// The lines, cut where Python's `splitlines` cuts.
  func lines(keepsEnds: Bool = false) -> [TemplateText] {
    var lines: [TemplateText] = []
    var (start, place) = (0, 0)
    while place < count {
      let scalar = elements[place] & ~Self.inputMark
      switch scalar {
      case 0x0a...0x0d, 0x1c...0x1e, 0x85, 0x2028, 0x2029:
        let isPair =
          scalar == 0x0d && place + 1 < count && elements[place + 1] & ~Self.inputMark == 0x0a
        let next = place + (isPair ? 2 : 1)
        lines.append(self[start..<(keepsEnds ? next : place)])
        (start, place) = (next, next)
      default: place += 1
      }
    }
    return start < count ? lines + [self[start..<count]] : lines
  }

  /// With the first `limit` occurrences of `old`, or all if `limit` is negative, as `new`.
  func replacing(_ old: TemplateText, with new: TemplateText, limit: Int) -> TemplateText {
    var result: [UInt32] = []
    if old.isEmpty {
      for (index, element) in elements.enumerated() {
        if limit < 0 || index < limit { result += new.elements }
        result.append(element)
      }
      if limit < 0 || count < limit { result += new.elements }
      return TemplateText(elements: result)
    }
    var (start, done) = (0, 0)
    while limit < 0 || done < limit, let next = firstIndex(of: old, from: start) {
      result += elements[start..<next] + new.elements
      start = next + old.count
      done += 1
    }
    return TemplateText(elements: result + elements[start...])
  }

  func joining(_ parts: [TemplateText]) -> TemplateText {
    var result: [UInt32] = []
    for (index, part) in parts.enumerated() {
      if index > 0 { result += elements }
      result += part.elements
    }
    return TemplateText(elements: result)
  }

  /// `count` times the text.
  func repeated(_ times: Int) -> TemplateText {
    TemplateText(elements: (0..<max(times, 0)).flatMap { _ in elements })
  }
}
