import Checkpoints
import Compression

/// Which layers the table shows: words, globs over whole names, regular expressions and conditions, all of which must hold.
struct LayerFilter: Hashable, Sendable {
  let text: String
  /// Why the text is no filter; it then matches everything.
  private(set) var flaw: String?
  private let terms: [Term]

  /// One word of the text.
  private enum Term: Hashable, Sendable {
    /// Stands anywhere in the name.
    case word(String)
    case block(Int)
    /// One of these patterns matches the whole name.
    case patterns([String])
    case condition(LayerCondition)
  }

  init(_ text: String) {
    self.text = text
    var terms: [Term] = []
    for word in text.split(separator: " ") where word != "re:" {
      do {
        terms.append(try Self.term(String(word)))
      } catch {
        flaw = error.reason
      }
    }
    self.terms = terms
  }

  private static func term(_ word: String) throws(LayerCondition.Flaw) -> Term {
    guard word.hasPrefix("re:") || word.contains(where: { "*?[".contains($0) }) else {
      if let number = Int(word) { return .block(number) }
      return try LayerCondition(word).map(Term.condition) ?? .word(word.lowercased())
    }
    let patterns =
      word.hasPrefix("re:") ? ["re:.*(?:\(word.dropFirst(3))).*"] : [word, "*.\(word)"]
    // What is put around it may make it too long.
    do throws(PlanError) {
      for pattern in [word] + patterns { _ = try LayerPattern(pattern) }
    } catch {
      throw LayerCondition.Flaw(reason: error.reason)
    }
    return .patterns(patterns)
  }

  /// Most steps that patterns may take over all layers: the screen waits for them.
  private static let workLimit = 10_000_000

  /// With a ``flaw`` if its patterns take too long on `layers`.
  func checked(on layers: [LayerDescription]) -> LayerFilter {
    guard flaw == nil else { return self }
    var (work, checked) = (0, self)
    for layer in layers {
      for pattern in compiled.joined() { _ = pattern.matches(name: layer.name, work: &work) }
      guard work > Self.workLimit else { continue }
      checked.flaw = "\(text) takes too long on \(layers.count) layers"
      break
    }
    return checked
  }

  var isEmpty: Bool { text.trimmingBlanks().isEmpty || text == "re:" }

  /// Which of the model's layers match, as they are planned now.
  ///
  /// Words match anywhere in a layer's name, a whole number is the number of its block. Expressions match anywhere, globs
  /// from beginning to end or behind a dot.
  func matches(in model: OpenModel) -> [Bool] {
    guard !isEmpty, flaw == nil else { return Array(repeating: true, count: model.layers.count) }
    let compiled = compiled
    var work = 0
    return model.layers.indices.map { index in
      let layer = model.layers[index]
      let name = layer.name.lowercased()
      let fits = terms.allSatisfy { term in
        switch term {
        case .word(let word): name.contains(word)
        case .block(let number): layer.block == number
        case .condition(let condition): condition.holds(for: index, of: model)
        case .patterns: true
        }
      }
      return fits
        && compiled.allSatisfy { variants in
          variants.contains { $0.matches(name: layer.name, work: &work) }
        }
    }
  }

  /// The variants of each term that is a pattern.
  private var compiled: [[LayerPattern]] {
    terms.compactMap { term in
      guard case .patterns(let patterns) = term else { return nil }
      return patterns.compactMap { try? LayerPattern($0) }
    }
  }

  /// The parts of a shown label, as ranges of characters, that the filter's words are found in.
  func highlights(in label: String) -> [Range<Int>] {
    let needles: [String] = terms.flatMap { term -> [String] in
      switch term {
      case .word(let word): [word]
      case .block: []
      case .patterns(let patterns):
        patterns[0].split { !$0.isLetter && $0 != "_" }.map(String.init)
      case .condition(let condition): condition.roleText.map { [$0] } ?? []
      }
    }
    return needles.compactMap { needle in
      guard needle.count > 1, needle != "re", let found = label.firstRange(of: needle) else {
        return nil
      }
      let start = label.distance(from: label.startIndex, to: found.lowerBound)
      return start..<start + needle.count
    }
  }
}
