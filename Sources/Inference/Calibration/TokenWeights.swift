import Checkpoints

/// How much the tokens of a text count at each site: by the energy of the gradients at what the site's layers make of them.
///
/// Errors of a layer matter at tokens with large gradients. Attention sinks have next to none, and most of the energy:
/// second moments that count all tokens alike tell of little else.
public struct TokenWeights: Hashable, Sendable {
  /// For each window, a weight a token, in the order of windows.
  private var weights: [InputSite: [[Float]]] = [:]

  public init() {}

  /// Whether all tokens count alike.
  public var isEmpty: Bool { weights.isEmpty }

  /// Adds to the weights of some tokens.
  mutating func add(
    _ energies: [Double], at positions: [Int], ofWindow window: Int, length: Int,
    at site: InputSite
  ) {
    var windows = weights[site] ?? []
    weights[site] = nil
    while windows.count <= window { windows.append(Array(repeating: 0, count: length)) }
    for (position, energy) in zip(positions, energies) {
      windows[window][position] += Float(energy)
    }
    weights[site] = windows
  }

  /// The weights of some tokens, zeros for windows that none are known of; nil for sites that none are known of.
  ///
  /// - Parameters:
  ///   - positions: Consecutive ones of the window.
  ///   - rows: Which of them; nil for all.
  ///   - window: Its number.
  ///   - site: Where they are read.
  /// - Returns: One for each wanted token.
  func weights(
    of positions: Range<Int>, rows: [Int]?, inWindow window: Int, at site: InputSite
  ) -> [Float]? {
    guard let windows = weights[site] else { return nil }
    let wanted = rows.map { $0.map { positions.lowerBound + $0 } } ?? Array(positions)
    guard windows.indices.contains(window), windows[window].count >= positions.upperBound else {
      return Array(repeating: 0, count: wanted.count)
    }
    return wanted.map { windows[window][$0] }
  }
}
