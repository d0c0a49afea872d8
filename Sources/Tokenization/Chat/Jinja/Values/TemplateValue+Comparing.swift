// MARK: - Equality and order, as Python has them

extension TemplateValue: Hashable {
  static func == (left: TemplateValue, right: TemplateValue) -> Bool {
    switch (left, right) {
    case (.undefined, .undefined), (.none, .none): true
    case (.string(let left), .string(let right)): left == right
    case (.sequence(let left), .sequence(let right)):
      (left.kind == right.kind || left.kind.isTuple && right.kind.isTuple)
        && left.elements == right.elements
    case (.dictionary(let left), .dictionary(let right)):
      left.keys.count == right.keys.count && left.pairs.allSatisfy { right[$0.key] == $0.value }
    case (.generator(let left), .generator(let right)): left == right
    case (.namespace(let left), .namespace(let right)): left == right
    case (.loop(let left), .loop(let right)): left == right
    case (.macro(let left), .macro(let right)):
      left.name == right.name && left.scope === right.scope
    case (.function(let left), .function(let right)): left == right
    default:
      if let left = left.integer, let right = right.integer {
        left == right
      } else if let left = left.number, let right = right.number {
        left == right
      } else {
        false
      }
    }
  }

  func hash(into hasher: inout Hasher) {
    switch self {
    case .string(let text): hasher.combine(text)
    case .boolean, .integer, .number: hasher.combine(number)
    case .sequence(let sequence): hasher.combine(sequence.elements)
    case .dictionary(let dictionary): hasher.combine(dictionary.keys.count)
    case .generator(let place), .namespace(let place), .loop(let place): hasher.combine(place)
    case .undefined, .none, .macro, .function: hasher.combine(typeName)
    }
  }

  /// Whether it may be a key: lists and dictionaries, which Python can change, may not.
  var isKey: Bool {
    switch self {
    case .sequence(let sequence): sequence.kind.isTuple && sequence.elements.allSatisfy(\.isKey)
    case .dictionary: false
    default: true
    }
  }

  /// Whether `self` comes before `other`; nil where Python has no order.
  func precedes(_ other: TemplateValue) -> Bool? {
    switch (self, other) {
    case (.string(let left), .string(let right)): return left < right
    case (.sequence(let left), .sequence(let right))
    where left.kind == right.kind && (left.kind == .list || left.kind.isTuple):
      for (left, right) in zip(left.elements, right.elements) where left != right {
        return left.precedes(right)
      }
      return left.elements.count < right.elements.count
    default:
      if let left = integer, let right = other.integer { return left < right }
      if let left = number, let right = other.number { return left < right }
      return nil
    }
  }
}
