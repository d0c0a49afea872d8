import Tensors
import Text

/// One entry of a rule's `layers`: an exact name, a glob, or a regular expression behind `re:`.
///
/// Globs and expressions match whole names, dots included; a layer matches by its name or by any
/// of its aliases.
public struct LayerPattern: Sendable {
  private enum Matcher: Sendable {
    case exact
    case glob(Glob)
    case expression(NamePattern)
  }

  /// The longest pattern that is read, in bytes of UTF-8.
  public static let lengthLimit = 1000

  /// The pattern as plans write it.
  public let text: String
  private let matcher: Matcher

  /// Reads a pattern as plans write it.
  ///
  /// - Throws: ``PlanError`` when it is empty, too long, or no well-formed glob or expression.
  public init(_ text: String) throws(PlanError) {
    guard !text.isEmpty else { throw PlanError(reason: "a layer pattern is empty") }
    guard text.utf8.count <= Self.lengthLimit else {
      throw PlanError(reason: "a layer pattern is longer than \(Self.lengthLimit) bytes")
    }
    self.text = text
    if text.hasPrefix("re:") {
      do {
        matcher = .expression(try NamePattern(String(text.dropFirst(3))))
      } catch {
        throw PlanError(
          reason: "\(text) is not a regular expression that is read: it \(error.reason)")
      }
    } else if text.contains(where: { "*?[".contains($0) }) {
      guard let glob = Glob(text) else {
        throw PlanError(reason: "\(text) is not a glob: its [ needs a ] and ascending ranges")
      }
      matcher = .glob(glob)
    } else {
      matcher = .exact
    }
  }

  /// The pattern that matches `name` and nothing else.
  public static func exact(_ name: String) -> String {
    let isPlain = !name.hasPrefix("re:") && !name.contains { "*?[".contains($0) }
    if isPlain { return name }
    let escaped = name.map { "*?[".contains($0) ? "[\($0)]" : String($0) }.joined()
    return escaped.hasPrefix("re:") ? "[r]" + escaped.dropFirst() : escaped
  }

  /// Whether the pattern is a name and no glob or expression.
  public var isExact: Bool {
    if case .exact = matcher { true } else { false }
  }

  /// Whether the pattern matches the layer's name or one of its aliases.
  public func matches(_ layer: LayerShape) -> Bool {
    var work = 0
    return matches(layer, work: &work)
  }

  /// Whether the pattern matches the layer's name or one of its aliases; adds the steps that this took to `work`.
  public func matches(_ layer: LayerShape, work: inout Int) -> Bool {
    if matches(name: layer.name, work: &work) { return true }
    for alias in layer.aliases where matches(name: alias, work: &work) { return true }
    return false
  }

  /// Whether the pattern matches a whole name.
  public func matches(name: String) -> Bool {
    var work = 0
    return matches(name: name, work: &work)
  }

  /// Whether the pattern matches a whole name; adds the steps that this took to `work`.
  public func matches(name: String, work: inout Int) -> Bool {
    switch matcher {
    case .exact: return text == name
    case .glob(let glob): return glob.matches(name, work: &work)
    case .expression(let expression): return expression.matches(name, .whole, work: &work)
    }
  }

  /// Most steps that one list of patterns may take over all layers: some seconds' worth.
  public static let workLimit = 200_000_000
}
