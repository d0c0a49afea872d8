import Checkpoints
import Compression

/// Which layers the table shows: words, a glob over whole names, or a regular expression.
struct LayerFilter: Hashable, Sendable {
  let text: String
  /// Why the text is no filter; it then matches everything.
  private(set) var flaw: String?
  private let words: [String]
  private let isPattern: Bool

  init(_ text: String) {
    self.text = text
    isPattern = text.hasPrefix("re:") || text.contains { "*?[".contains($0) }
    words = isPattern ? [] : text.lowercased().split(separator: " ").map(String.init)
    guard isPattern, text != "re:" else { return }
    do throws(PlanError) {
      // What is put around it may make it too long.
      for pattern in [text] + variants { _ = try LayerPattern(pattern) }
    } catch {
      flaw = error.reason
    }
  }

  /// Most steps that a pattern may take over all layers: the screen waits for them.
  private static let workLimit = 10_000_000

  /// With a ``flaw`` if its pattern takes too long on `layers`.
  func checked(on layers: [LayerDescription]) -> LayerFilter {
    guard isPattern, !isEmpty, flaw == nil else { return self }
    var (work, checked) = (0, self)
    let patterns = variants.compactMap { try? LayerPattern($0) }
    for layer in layers {
      for pattern in patterns { _ = pattern.matches(name: layer.name, work: &work) }
      guard work > Self.workLimit else { continue }
      checked.flaw = "\(text) takes too long on \(layers.count) layers"
      break
    }
    return checked
  }

  var isEmpty: Bool { text.trimmingBlanks().isEmpty || text == "re:" }

  /// Which of `layers` match.
  ///
  /// Words match anywhere in a layer's name, a whole number also the number of its block; all of
  /// them must match. Expressions match anywhere, globs from beginning to end or behind a dot.
  func matches(among layers: [LayerDescription]) -> [Bool] {
    guard !isEmpty, flaw == nil else { return Array(repeating: true, count: layers.count) }
    guard isPattern else { return layers.map(matchesWords) }
    let patterns = variants.compactMap { try? LayerPattern($0) }
    var work = 0
    return layers.map { layer in
      patterns.contains { $0.matches(name: layer.name, work: &work) }
    }
  }

  private var variants: [String] {
    if text.hasPrefix("re:") { return ["re:.*(?:\(text.dropFirst(3))).*"] }
    return [text, "*.\(text)"]
  }

  private func matchesWords(_ layer: LayerDescription) -> Bool {
    let name = layer.name.lowercased()
    return words.allSatisfy { word in
      if let number = Int(word) { return layer.block == number }
      return name.contains(word)
    }
  }

  /// The parts of a shown label, as ranges of characters, that the filter's words are found in.
  func highlights(in label: String) -> [Range<Int>] {
    let needles =
      isPattern ? text.split { !$0.isLetter && $0 != "_" }.map(String.init) : words
    return needles.compactMap { needle in
      guard needle.count > 1, needle != "re", let found = label.firstRange(of: needle) else {
        return nil
      }
      let start = label.distance(from: label.startIndex, to: found.lowerBound)
      return start..<start + needle.count
    }
  }
}
