import Checkpoints
import Compression
import Export
import Tensors

/// A model under a plan, as far as serving it depends on that.
public struct ServedModel: Hashable, Sendable {
  /// One layer's weights.
  public struct Layer: Hashable, Sendable {
    public let role: String
    /// As they are stored.
    public let bytes: Int
    public let parameters: Int
    /// The share of the weights that one token is multiplied with: less than all of experts.
    public let activeShare: Double
    /// Whether rows are looked up, and none multiplied.
    public let isLookedUp: Bool
    /// Whether only the last token of a prompt needs its products.
    public let isHead: Bool
    /// Output channels that a token has of it.
    public let width: Int

    /// Bits a weight, scales counted.
    public var bits: Double { Double(bytes) * 8 / Double(max(parameters, 1)) }
  }

  public let name: String
  public let layers: [Layer]
  /// All that the weights take: every byte of the target's files, or without a target of all tensors.
  public let weightBytes: Int
  /// Whether these are the bytes of a target's files.
  public let isOfFiles: Bool
  /// nil where the settings do not say in known words what is kept of a sequence.
  public let facts: ServingFacts?

  /// - Parameters:
  ///   - model: already without what the plan's structure removes.
  ///   - schemes: of each layer, in the model's order.
  ///   - forecast: what a target's files hold of it; nil without a target.
  public init(_ model: ModelDescription, schemes: [Scheme], forecast: ExportForecast?) {
    name = model.name
    facts = model.serving
    isOfFiles = forecast != nil
    let sizes =
      forecast?.layers.map(\.total)
      ?? zip(model.layerShapes, zip(schemes, model.layers)).map { shape, layer in
        LayerSize.predicted(for: shape, scheme: layer.0, original: layer.1.bytes).total
      }
    let others = model.layers.reduce(model.tensorBytes) { $0 - $1.bytes }
    weightBytes = forecast?.total ?? sizes.reduce(max(0, others), +)
    let chosen = model.serving?.chosenExperts
    layers = zip(model.layers, sizes).map { layer, bytes in
      let share = chosen.map { min(1, Double($0) / Double(layer.count)) } ?? 1
      let isEmbedding = layer.role.isEmbedding
      return Layer(
        role: layer.role.rawValue, bytes: bytes, parameters: layer.parameters,
        activeShare: layer.count > 1 ? share : 1,
        isLookedUp: isEmbedding && layer.site == nil && !model.isHead(layer),
        isHead: isEmbedding || layer.role == .head,
        width: layer.rows / max(layer.count, 1) * (layer.count > 1 ? chosen ?? 1 : 1))
    }
  }

  /// Bytes of the layers that one token is multiplied with: of experts, those that it is sent to.
  ///
  /// The same as all layers' but for tables in which tokens are looked up, where there are no experts.
  public var activeBytes: Int {
    layers.reduce(0) { sum, layer in
      layer.isLookedUp ? sum : sum + Int(Double(layer.bytes) * layer.activeShare)
    }
  }

  /// Whether a token is multiplied with a part of the weights only.
  public var hasExperts: Bool { layers.contains { $0.activeShare < 1 } }

  /// The widest inner values of a token, those of a block's layers.
  var innerWidth: Int { layers.filter { !$0.isHead }.map(\.width).max() ?? 0 }
}

extension ModelDescription {
  /// Whether a model that does not run has this embedding for its head: it has no other.
  fileprivate func isHead(_ embedding: LayerDescription) -> Bool {
    blueprint == nil && !layers.contains { $0.role == .head }
  }
}
