import Checkpoints
import Compression
import FoundationEssentials
import Tensors

/// What a program elsewhere needs to know of a model and of schemes to measure sensitivity: `layers.json`.
public struct LayerList: Encodable, Sendable {
  /// Where the figures come from, as the sensitivity file tells it.
  public struct Origin: Encodable, Sendable {
    var model: String
    var fingerprint: String
    var text: String
    var version: String

    public init(model: String, fingerprint: String, text: String, version: String) {
      (self.model, self.fingerprint) = (model, fingerprint)
      (self.text, self.version) = (text, version)
    }
  }

  public struct Layer: Encodable, Sendable {
    var name: String
    var role: Role
    var originalBytes: Int
    /// Bytes under each scheme; null for those that the layer cannot have.
    var bytes: [Int?]
  }

  /// A scheme in the program's words.
  private struct Candidate: Encodable {
    let bits: Int
    /// 0 for a channel.
    let group: Int
    let symmetric: Bool
    let range: String
  }

  private let origin: Origin
  /// Of the sensitivity file.
  private let version: Int
  private let schemes: [Scheme]
  private let candidates: [Candidate]
  private let layers: [Layer]

  /// Describes a model.
  ///
  /// - Parameters:
  ///   - model: All of its layers are named.
  ///   - schemes: Integers that are rounded to nearest, such that ``flaw(of:)`` has none.
  ///   - origin: Where the figures come from.
  ///   - version: Of the sensitivity file.
  public init(of model: ModelDescription, schemes: [Scheme], origin: Origin, version: Int) {
    self.origin = origin
    self.version = version
    self.schemes = schemes
    candidates = schemes.compactMap(\.quantization).map { scheme in
      let group: Int = if case .size(let size) = scheme.group { size } else { 0 }
      return Candidate(
        bits: scheme.bits, group: group, symmetric: scheme.isSymmetric, range: scheme.range.rawValue
      )
    }
    layers = model.layers.map { layer in
      let shape = LayerShape(
        name: layer.name, rows: layer.rows, columns: layer.columns, type: layer.type)
      return Layer(
        name: layer.name, role: layer.role, originalBytes: layer.bytes,
        bytes: schemes.map { scheme in
          guard (try? scheme.validated(for: shape)) != nil else { return nil }
          return LayerSize.predicted(for: shape, scheme: scheme, original: layer.bytes).total
        })
    }
  }

  /// Why the program cannot try a scheme; nil if it can.
  public static func flaw(of scheme: Scheme) -> String? {
    guard let quantization = scheme.quantization, quantization.hasFreeGroups,
      quantization.method == .rtn, scheme.sparsity == nil
    else {
      return
        "\(scheme.summary): on a cluster integers are tried that are rounded to nearest, such as 4g128/rtn"
    }
    return nil
  }

  /// The file.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Plain values always have a JSON form.
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) + "\n" } ?? ""
  }
}
