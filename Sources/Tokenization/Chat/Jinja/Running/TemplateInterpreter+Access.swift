// MARK: - Attributes, items and slices

extension TemplateInterpreter {
  /// `value.name`: a method or attribute first, a dictionary's entry else.
  func attribute(_ name: String, of value: TemplateValue) throws(ChatTemplateError)
    -> TemplateValue
  {
    try require(value)
    if let own = try ownAttribute(name, of: value) { return own }
    if case .dictionary(let dictionary) = value, let entry = dictionary[.text(name)] {
      return entry
    }
    return .undefined("a \(value.typeName) has no attribute \(name)")
  }

  /// `value[index]`: an element first, a method or attribute else.
  func item(_ index: TemplateValue, of value: TemplateValue) throws(ChatTemplateError)
    -> TemplateValue
  {
    try require(value)
    switch value {
    case .dictionary(let dictionary):
      if index.isKey {
        try step(index.weight)
        if let entry = dictionary[index] { return entry }
      }
    case .sequence(let sequence) where sequence.kind.isIndexed:
      if let place = Self.place(index.integer, in: sequence.elements.count) {
        return sequence.elements[place]
      }
    case .string(let text):
      if let place = Self.place(index.integer, in: text.count) {
        return .string(text[place..<place + 1])
      }
    default: break
    }
    guard let text = index.text, text.count <= TemplateLexer.nameLimit else {
      return .undefined("a \(value.typeName) has no such element")
    }
    let name = text.string
    return try ownAttribute(name, of: value)
      ?? .undefined("a \(value.typeName) has no attribute \(name)")
  }

  /// Where an index points, counted from the end if it is negative; nil if that is outside.
  private static func place(_ index: Int?, in count: Int) -> Int? {
    guard let index, index >= -count, index < count else { return nil }
    return index < 0 ? index + count : index
  }

  /// What belongs to the value's type; nil if there is no such name.
  private func ownAttribute(
    _ name: String, of value: TemplateValue
  ) throws(ChatTemplateError) -> TemplateValue? {
    if name.hasPrefix("__") { return .undefined("the attribute \(name) is out of bounds") }
    switch value {
    case .namespace(let place): return namespaces[place][name]
    case .loop(let place): return loopAttribute(name, place)
    case .macro(let macro):
      switch name {
      case "name": return .text(macro.name)
      case "arguments":
        return try sequence(.tuple, macro.definition.parameters.map { .text($0.name) })
      case "caller": return .boolean(macro.definition.extras.contains("caller"))
      case "catch_kwargs": return .boolean(macro.definition.extras.contains("kwargs"))
      case "catch_varargs": return .boolean(macro.definition.extras.contains("varargs"))
      default: return nil
      }
    case .sequence(let sequence) where sequence.kind == .group && sequence.elements.count == 2:
      if name == "grouper" { return sequence.elements[0] }
      if name == "list" { return sequence.elements[1] }
    case .function(.cycler(let place)) where name == "current":
      let cycler = cyclers[place]
      return cycler.items[cycler.index % cycler.items.count]
    default: break
    }
    if TemplateMethods.changing(value).contains(name) {
      return .undefined("\(name) would change a \(value.typeName), which templates cannot")
    }
    guard TemplateMethods.names(of: value).contains(name) else { return nil }
    return .function(.method(value, name: name))
  }

  private func loopAttribute(_ name: String, _ place: Int) -> TemplateValue? {
    let loop = loops[place]
    let (index, count) = (loop.index, loop.items.count)
    switch name {
    case "index": return .integer(index + 1)
    case "index0": return .integer(index)
    case "revindex": return .integer(count - index)
    case "revindex0": return .integer(count - index - 1)
    case "first": return .boolean(index == 0)
    case "last": return .boolean(index == count - 1)
    case "length": return .integer(count)
    case "depth": return .integer(loop.depth + 1)
    case "depth0": return .integer(loop.depth)
    case "previtem":
      return index > 0 ? loop.items[index - 1] : .undefined("there is no previous item")
    case "nextitem":
      return index + 1 < count ? loop.items[index + 1] : .undefined("there is no next item")
    case "cycle", "changed": return .function(.method(.loop(place), name: name))
    default: return nil
    }
  }

  func slice(
    _ value: TemplateValue, _ start: Int?, _ end: Int?, _ stride: Int?
  ) throws(ChatTemplateError) -> TemplateValue {
    try require(value)
    let stride = stride ?? 1
    guard stride != 0 else { throw error("a slice's step is 0") }
    func places(_ count: Int) -> [Int] {
      let (lowest, highest) = stride > 0 ? (0, count) : (-1, count - 1)
      func bound(_ given: Int?, _ standard: Int) -> Int {
        guard let given else { return standard }
        let place = given < 0 ? given &+ count : given
        return Swift.min(Swift.max(place, lowest), highest)
      }
      let first = bound(start, stride > 0 ? lowest : highest)
      let last = bound(end, stride > 0 ? highest : lowest)
      return Array(Swift.stride(from: first, to: last, by: stride))
    }
    switch value {
    case .string(let text):
      try allocate(text.count)
      let places = places(text.count)
      if stride == 1 {
        guard let first = places.first else { return .string("") }
        return .string(text[first..<first + places.count])
      }
      return .string(TemplateText(elements: places.map { text.elements[$0] }))
    case .sequence(let sequence) where sequence.kind.isIndexed:
      let kind: TemplateSequence.Kind = sequence.kind.isTuple ? .tuple : .list
      return try self.sequence(
        kind, places(sequence.elements.count).map { sequence.elements[$0] })
    default: throw error("a \(value.typeName) cannot be sliced")
    }
  }
}
