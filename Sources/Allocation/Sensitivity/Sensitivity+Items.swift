import Checkpoints
import Compression
import Tensors

/// What an allocation may choose from.
public struct AllocationRules: Hashable, Sendable {
  /// Schemes that layers may get; nil allows all that were tried.
  ///
  /// ``Scheme/keep`` among them allows to leave layers as they are.
  public var candidates: [Scheme]?
  /// Layers with a fixed scheme, by name.
  public var pins: [String: Scheme]
  /// Whether q, k, v and gate, up of a block get the same scheme, as servers that fuse them need.
  public var fusesLayers: Bool
  /// What a layer cannot get although others can, by name: schemes that the chosen export cannot hold of it.
  public var refused: [String: Set<Scheme>]
  /// Whether pruned layers count as survivors and a bitmask would be stored, so that zeros are worth something.
  public var countsBitmasks: Bool
  /// Bytes of the files of a target; nil counts tensors as they are stored.
  public var fileBytes: FileBytes?

  public init(
    candidates: [Scheme]? = nil, pins: [String: Scheme] = [:], fusesLayers: Bool = false,
    refused: [String: Set<Scheme>] = [:], countsBitmasks: Bool = false,
    fileBytes: FileBytes? = nil
  ) {
    self.candidates = candidates
    self.pins = pins
    self.fusesLayers = fusesLayers
    self.refused = refused
    self.countsBitmasks = countsBitmasks
    self.fileBytes = fileBytes
  }

  /// Whether all of these layers may get a scheme.
  fileprivate func allow(_ scheme: Scheme, for layers: [String]) -> Bool {
    (candidates?.contains(scheme) ?? !scheme.keepsLayer)
      && layers.allSatisfy { !(refused[$0]?.contains(scheme) ?? false) }
  }
}

/// The bytes that a target's files take, layer by layer.
public struct FileBytes: Hashable, Sendable {
  /// Bytes of every layer by its name, where all have a scheme that was tried.
  public var layers: [Scheme: [String: Int]]
  /// Bytes of everything else: headers, tokenizers, tensors that are no layers.
  public var others: Int

  public init(layers: [Scheme: [String: Int]], others: Int) {
    self.layers = layers
    self.others = others
  }

  /// Bytes of a layer under a scheme, or, where these are not known, those given.
  fileprivate func bytes(of layer: String, under scheme: Scheme, else bytes: Int) -> Int {
    layers[scheme]?[layer] ?? bytes
  }
}

extension Sensitivity {
  /// Prepares to solve for budgets of a model's tensors.
  ///
  /// Layers for which no candidate was tried stay as they are. A tied embedding is one layer, and so one item.
  ///
  /// - Parameters:
  ///   - model: The model that this was measured on.
  ///   - rules: What may be chosen from.
  /// - Returns: A solver whose bytes are those of all tensors, or of a target's files, and whose KLDs have the predictor's factors.
  /// - Throws: ``SensitivityError`` for another model, and for fused layers pinned to different schemes.
  public func makeAllocator(
    for model: ModelDescription, rules: AllocationRules
  ) throws(SensitivityError) -> Allocator {
    try check(fits: model)
    let items = try makeItems(for: model, rules: rules)
    let chosen = Set(items.filter { !$0.options.isEmpty }.flatMap(\.layers))
    let fixedBytes =
      if let files = rules.fileBytes {
        model.layers.reduce(files.others) {
          chosen.contains($1.name)
            ? $0 : $0 + files.bytes(of: $1.name, under: .keep, else: $1.bytes)
        }
      } else {
        model.layers.reduce(model.tensorBytes) { chosen.contains($1.name) ? $0 - $1.bytes : $0 }
      }
    do {
      return try Allocator(items: items, fixedBytes: fixedBytes)
    } catch {
      // Trials are checked when they are read and layers have names of their own.
      preconditionFailure("\(error)")
    }
  }

  /// One item for each layer, or for each group of layers that get a scheme together, in the model's order.
  func makeItems(
    for model: ModelDescription, rules: AllocationRules
  ) throws(SensitivityError) -> [PlanItem] {
    let costs = Dictionary(layers.map { ($0.layer, $0) }, uniquingKeysWith: { first, _ in first })
    var items: [PlanItem] = []
    for group in Self.groups(of: model, fused: rules.fusesLayers) {
      let names = group.map(\.name)
      let known = names.compactMap { costs[$0] }
      guard known.count == names.count else {
        items.append(PlanItem(layers: names, options: []))
        continue
      }
      let pins = Set(names.compactMap { rules.pins[$0] })
      guard pins.count < 2 else { throw .pinsDisagree(layers: names) }
      if let pin = pins.first {
        items.append(PlanItem(layers: names, options: [option(pin, group, known, rules)]))
        continue
      }
      // Schemes in the order of the first layer's trials, and only such as all layers were tried with.
      let schemes = (known.first?.trials.map(\.scheme) ?? []) + [.keep]
      let options = schemes.filter { scheme in
        rules.allow(scheme, for: names) && known.allSatisfy { $0.trial(of: scheme) != nil }
      }.map { option($0, group, known, rules) }
      items.append(PlanItem(layers: names, options: options))
    }
    return items
  }

  /// Layers that get a scheme together.
  private static func groups(of model: ModelDescription, fused: Bool) -> [[LayerDescription]] {
    guard fused else { return model.layers.map { [$0] } }
    var groups: [[LayerDescription]] = []
    var places: [String: Int] = [:]
    for layer in model.layers {
      guard let key = layer.fusion else {
        groups.append([layer])
        continue
      }
      if let place = places[key] {
        groups[place].append(layer)
      } else {
        places[key] = groups.count
        groups.append([layer])
      }
    }
    return groups
  }

  private func option(
    _ scheme: Scheme, _ group: [LayerDescription], _ costs: [LayerCosts], _ rules: AllocationRules
  ) -> PlanOption {
    var option = PlanOption(scheme: scheme, bytes: 0, divergence: 0)
    for (layer, costs) in zip(group, costs) {
      let trial = costs.trial(of: scheme) ?? costs.guess(scheme, for: layer)
      let withBitmask = rules.countsBitmasks ? layer.size(under: scheme).withBitmask : nil
      option.bytes +=
        withBitmask
        ?? rules.fileBytes?.bytes(of: layer.name, under: scheme, else: trial.bytes)
        ?? trial.bytes
      option.divergence += expected(trial, of: costs).divergence
    }
    return option
  }
}

extension LayerDescription {
  /// What the layer takes under a scheme.
  func size(under scheme: Scheme) -> LayerSize {
    LayerSize.predicted(
      for: LayerShape(name: name, rows: rows, columns: columns, type: type), scheme: scheme,
      original: bytes)
  }
}
