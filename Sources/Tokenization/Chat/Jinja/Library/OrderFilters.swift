// MARK: - Filters that compare elements

extension TemplateInterpreter {
  func orderFilter(
    _ name: String, _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    switch name {
    case "sort":
      let values = try bind(
        arguments, to: ["reverse", "case_sensitive", "attribute"], of: name)
      let isSensitive = values[1].map(isTrue) ?? false
      var keyed: [Keyed] = []
      for element in try elements(of: value) {
        let keys = try sortKeys(values[2], of: element, isSensitive)
        keyed.append(Keyed(key: .list(keys), element: element))
      }
      return try sequence(
        .list, try sorted(keyed, reverses: values[0].map(isTrue) ?? false).map(\.element))
    case "dictsort": return try dictionarySorted(value, arguments)
    case "unique", "min", "max":
      let values = try bind(arguments, to: ["case_sensitive", "attribute"], of: name)
      var keyed: [Keyed] = []
      for element in try elements(of: value) {
        let key = try self.key(values[1], of: element, values[0].map(isTrue) ?? false)
        keyed.append(Keyed(key: key, element: element))
      }
      return name == "unique" ? try unique(keyed) : try extreme(keyed, isLeast: name == "min")
    case "sum":
      let values = try bind(arguments, to: ["attribute", "start"], of: name)
      var sum = values[1] ?? .integer(0)
      for element in try elements(of: value) {
        sum = try compute(sum, .add, try path(values[0], of: element))
      }
      return sum
    default: return try grouped(value, arguments)
    }
  }

  /// An element and what it is compared by.
  private struct Keyed {
    let key: TemplateValue
    let element: TemplateValue
  }

  /// What an element is compared by: strings in lower case unless case counts.
  private func key(
    _ attribute: TemplateValue?, of element: TemplateValue, _ isCaseSensitive: Bool,
    standard: TemplateValue? = nil
  ) throws(ChatTemplateError) -> TemplateValue {
    try step()
    let value = try path(attribute, of: element, standard: standard)
    guard !isCaseSensitive, let text = value.text else { return value }
    try allocate(2 * text.count)
    return .string(text.lowercased)
  }

  /// The keys of several attributes between commas.
  private func sortKeys(
    _ attributes: TemplateValue?, of element: TemplateValue, _ isCaseSensitive: Bool
  ) throws(ChatTemplateError) -> [TemplateValue] {
    guard let text = attributes?.text else {
      return [try key(attributes, of: element, isCaseSensitive)]
    }
    var keys: [TemplateValue] = []
    for part in text.split(",", limit: -1) {
      keys.append(try key(.string(part), of: element, isCaseSensitive))
    }
    return keys
  }

  /// In order, elements with equal keys as they were.
  private func sorted(
    _ keyed: [Keyed], reverses: Bool
  ) throws(ChatTemplateError) -> [Keyed] {
    try allocate(8 * keyed.count)
    let weight = keyed.reduce(0) { $0 + $1.key.weight }
    try step(weight / 4 * (1 + keyed.count.bitWidth - keyed.count.leadingZeroBitCount) / 4)
    var hasOrder = true
    let sorted = keyed.enumerated().sorted { left, right in
      let (first, second) = reverses ? (right, left) : (left, right)
      guard let precedes = first.element.key.precedes(second.element.key) else {
        hasOrder = false
        return false
      }
      if precedes { return true }
      if second.element.key.precedes(first.element.key) ?? false { return false }
      return left.offset < right.offset
    }
    guard hasOrder else { throw error("the values of a list have no order among them") }
    return sorted.map(\.element)
  }

  private func unique(_ keyed: [Keyed]) throws(ChatTemplateError) -> TemplateValue {
    var seen: Set<TemplateValue> = []
    var kept: [TemplateValue] = []
    for item in keyed {
      guard item.key.isKey else { throw error("unique cannot compare a \(item.key.typeName)") }
      try step(item.key.weight)
      if seen.insert(item.key).inserted { kept.append(item.element) }
    }
    return try generator(kept)
  }

  private func extreme(
    _ keyed: [Keyed], isLeast: Bool
  ) throws(ChatTemplateError) -> TemplateValue {
    guard var best = keyed.first else { return .undefined("the list is empty") }
    for item in keyed.dropFirst()
    where try isLeast ? precedes(item.key, best.key) : precedes(best.key, item.key) {
      best = item
    }
    return best.element
  }

  private func dictionarySorted(
    _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    let values = try bind(arguments, to: ["case_sensitive", "by", "reverse"], of: "dictsort")
    try require(value)
    guard case .dictionary(let dictionary) = value else {
      throw error("dictsort takes a dictionary, not a \(value.typeName)")
    }
    let place = try text(values[1], "dictsort")?.string ?? "key"
    guard place == "key" || place == "value" else {
      throw error("dictsort sorts by key or by value")
    }
    var keyed: [Keyed] = []
    for (key, value) in dictionary.pairs {
      let part = place == "key" ? key : value
      keyed.append(
        Keyed(
          key: try self.key(nil, of: part, values[0].map(isTrue) ?? false),
          element: try sequence(.tuple, [key, value])))
    }
    let sorted = try sorted(keyed, reverses: values[2].map(isTrue) ?? false)
    return try sequence(.list, sorted.map(\.element))
  }

  private func grouped(
    _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    let values = try bind(
      arguments, to: ["attribute", "default", "case_sensitive"], of: "groupby", required: 1)
    let standard = values[1].flatMap { $0.isNone ? nil : $0 }
    let isSensitive = values[2].map(isTrue) ?? false
    var keyed: [Keyed] = []
    for element in try elements(of: value) {
      let key = try key(values[0], of: element, isSensitive, standard: standard)
      keyed.append(Keyed(key: key, element: element))
    }
    var groups: [(key: TemplateValue, elements: [TemplateValue])] = []
    for item in try sorted(keyed, reverses: false) {
      if let last = groups.last, try areEqual(last.key, item.key) {
        groups[groups.count - 1].elements.append(item.element)
      } else {
        groups.append((item.key, [item.element]))
      }
    }
    var result: [TemplateValue] = []
    for group in groups {
      // The group is called as its first element spells it.
      let name = try path(values[0], of: group.elements[0], standard: standard)
      result.append(try sequence(.group, [name, try sequence(.list, group.elements)]))
    }
    return try sequence(.list, result)
  }
}
