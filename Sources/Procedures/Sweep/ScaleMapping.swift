import Checkpoints
import Compression
import Inference
import Work

/// Layers that read the same vectors, and what can take scales of their columns back.
public struct ScaleMapping {
  public let site: InputSite
  /// Places in the model of all layers that read there.
  public let readers: [Int]
  /// The layer whose rows are divided; nil for the norm of the site.
  public let source: Int?
  /// The norm whose weights are divided, by its name; nil for a layer.
  public let norm: String?

  /// All layers that share the scales.
  public var layers: [Int] { readers + [source].compactMap(\.self) }

  /// The mappings of a block whose layers all have AWQ under these schemes.
  ///
  /// Values feed `o_proj` one to one only where every head has its own; else its scales stay ones.
  public static func mappings(
    ofBlock block: Int, schemes: [Scheme], of model: ModelDescription
  ) -> [ScaleMapping] {
    let layers = model.layers.indices.filter { model.layers[$0].block == block }
    return InputSite.sites(ofBlock: block).compactMap { site in
      let readers = layers.filter { model.layers[$0].site == site }
      guard let first = readers.first, let taker = model.scaleSource(of: site) else { return nil }
      var (source, norm): (Int?, String?) = (nil, nil)
      switch taker {
      case .norm(let name): norm = name
      case .rows(let role): source = layers.first { model.layers[$0].role == role }
      }
      guard (readers + [source].compactMap(\.self)).allSatisfy({ schemes[$0].usesAWQ }),
        source.map({ model.layers[$0].rows == model.layers[first].columns }) ?? true
      else { return nil }
      return ScaleMapping(site: site, readers: readers, source: source, norm: norm)
    }
  }

  /// Refuses plans that give AWQ to some of the layers only that read what a norm writes, or to experts.
  public static func check(_ schemes: [Scheme], of model: ModelDescription) throws(PlanError) {
    var readers: [InputSite: [Int]] = [:]
    for (number, layer) in model.layers.enumerated() {
      if schemes[number].usesAWQ, layer.count > 1 {
        throw PlanError(
          layer: layer.name,
          reason: "awq cannot scale what experts read, for their router reads it too; use gptq")
      }
      guard let site = layer.site, case .norm? = model.scaleSource(of: site) else { continue }
      readers[site, default: []].append(number)
    }
    for (_, numbers) in readers.sorted(by: { ($0.value.first ?? 0) < ($1.value.first ?? 0) })
    where numbers.contains(where: { schemes[$0].usesAWQ }) {
      guard let other = numbers.first(where: { !schemes[$0].usesAWQ }) else { continue }
      let roles = numbers.map { model.layers[$0].role.rawValue }
      throw PlanError(
        layer: model.layers[other].name,
        reason: "awq changes what \(roles.joined(separator: ", ")) read: "
          + "give all of them method awq, or none")
    }
  }

  /// Refuses AWQ as a candidate for layers one by one.
  public static func checkAlone(_ candidates: [Scheme]) throws(WorkFailure) {
    guard candidates.contains(where: \.usesAWQ) else { return }
    throw WorkFailure(
      sentence: "awq cannot be tried on a layer alone: its scales are those of all layers that "
        + "read the same; let layers choose among rtn and gptq, and set awq in the plan")
  }
}

extension Scheme {
  /// Whether channels are scaled before they are quantized.
  public var usesAWQ: Bool { quantization?.method == .awq }
}
