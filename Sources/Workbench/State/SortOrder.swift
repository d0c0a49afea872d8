import Checkpoints
import Compression
import Engine

/// In which order the table shows layers.
enum SortOrder: String, CaseIterable, Codable, Hashable, Sendable {
  /// As data meets them, in foldable blocks.
  case natural
  /// Largest first.
  case size
  /// Lowest SQNR first; layers without an error last.
  case decibel = "db"
  /// Most bits a weight first.
  case bits
  /// By role, then block.
  case role
  /// The most predicted KLD under the plan first.
  case divergence = "kld"
  /// The most KLD for the same relative error first.
  case sensitivity
  /// Most weights first.
  case weights
  /// By what the checkpoint stores, or the plan does: words in their order.
  case type, method
  /// Finest groups first, kept layers last.
  case group
  /// Most planned zeros first.
  case sparsity

  /// Those that one key goes through; others are asked for by name or by a click.
  private static let inTurn: [SortOrder] = [
    .natural, .size, .decibel, .bits, .role, .divergence, .sensitivity,
  ]

  /// Whether it needs to be known what a layer's error costs.
  var needsSensitivity: Bool { self == .divergence || self == .sensitivity }

  /// The order after this one that the model has figures for, the last before the first.
  func next(for model: OpenModel) -> SortOrder {
    let all = Self.inTurn.filter { !$0.needsSensitivity || !model.sensitivity.isEmpty }
    // One that is out of turn is followed by the first.
    let place = all.firstIndex(of: self).map { ($0 + 1) % all.count } ?? 0
    return all[place]
  }

  /// How the table's title says it.
  var title: String {
    switch self {
    case .natural: "by block"
    case .size: "by size"
    case .decibel: "by dB"
    case .bits: "by bits"
    case .role: "by role"
    case .divergence: "by KLD"
    case .sensitivity: "by sensitivity"
    case .weights: "by weights"
    case .type: "by type"
    case .method: "by method"
    case .group: "by group"
    case .sparsity: "by sparsity"
    }
  }

  /// The layers in this order; equal ones stay in their natural order.
  func sorted(_ layers: [Int], of model: OpenModel) -> [Int] {
    func ordered<Key: Comparable>(by key: (Int) -> Key) -> [Int] {
      layers.map { (key($0), $0) }.sorted { $0.0 != $1.0 ? $0.0 < $1.0 : $0.1 < $1.1 }.map(\.1)
    }
    return switch self {
    case .natural: layers
    case .size: ordered { -model.size($0).total }
    case .decibel: ordered { model.currentReport($0)?.error.sqnr ?? .infinity }
    case .bits: ordered { -model.bitsPerWeight($0) }
    case .role: ordered { model.layers[$0].role.rawValue }
    case .divergence: ordered { -(model.divergence($0) ?? -1) }
    case .sensitivity:
      ordered { -(model.sensitivity(of: $0)?.divergencePerRelativeError ?? -1) }
    case .weights: ordered { -model.layers[$0].parameters }
    case .type: ordered { model.layers[$0].storedText }
    case .method: ordered { model.schemes[$0].quantization?.method.rawValue ?? "~" }
    case .group:
      ordered { layer in
        model.schemes[layer].quantization?.group.weights(inRowOf: model.layers[layer].columns)
          ?? .max
      }
    case .sparsity: ordered { -(model.schemes[$0].sparsity?.pattern.ratio ?? 0) }
    }
  }
}

extension OpenModel {
  /// Bits a weight of one layer as it is now, everything counted.
  func bitsPerWeight(_ layer: Int) -> Double {
    let parameters = layers[layer].parameters
    return parameters > 0 ? Double(size(layer).total) * 8 / Double(parameters) : 0
  }
}
