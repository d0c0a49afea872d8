import Checkpoints
import Compression
import FoundationEssentials

/// The file is a safetensors container: two vectors of F32 a layer, named `<layer>.inputs` and `<layer>.outputs`, and all
/// else as JSON in the header's metadata.
extension Sensitivity {
  static let formatVersion = 1
  private static let format = "vise-sensitivity"

  private struct Contents: Codable {
    let origin: Origin
    /// Every scheme that some layer was tried with; trials refer to them by index.
    let schemes: [Scheme]
    let layers: [Layer]
    let predictor: PlanPredictor

    struct Layer: Codable {
      let name: String
      let role: Role
      let originalBytes: Int
      let energy: Double
      let tokens: Int
      let trace: Double
      let trials: [Trial]
    }

    struct Trial: Codable {
      let scheme: Int
      let bytes: Int
      let divergence: Double
      let standardError: Double
    }
  }

  /// Writes the file so that it is complete at any time, or as it was before.
  ///
  /// - Throws: ``SensitivityError`` when it cannot be written.
  public func write(to path: String) throws(SensitivityError) {
    var schemes: [Scheme] = []
    var indices: [Scheme: Int] = [:]
    for trial in layers.flatMap(\.trials) where indices[trial.scheme] == nil {
      indices[trial.scheme] = schemes.count
      schemes.append(trial.scheme)
    }
    let contents = Contents(
      origin: origin, schemes: schemes,
      layers: layers.map { layer in
        Contents.Layer(
          name: layer.layer, role: layer.role, originalBytes: layer.originalBytes,
          energy: layer.energy, tokens: layer.fisher.tokens, trace: layer.fisher.trace,
          trials: layer.trials.map {
            Contents.Trial(
              scheme: indices[$0.scheme] ?? 0, bytes: $0.bytes, divergence: $0.divergence,
              standardError: $0.standardError)
          })
      }, predictor: predictor)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json: String
    do { json = String(decoding: try encoder.encode(contents), as: UTF8.self) } catch {
      throw .file(CheckpointError(file: path, reason: "holds a figure that is no number"))
    }
    let file = SafetensorsFile(
      metadata: [
        "format": Self.format, "version": String(Self.formatVersion), "contents": json,
      ],
      vectors: layers.flatMap { layer in
        [
          SafetensorsFile.Vector(name: layer.layer + ".inputs", values: layer.fisher.inputs),
          SafetensorsFile.Vector(name: layer.layer + ".outputs", values: layer.fisher.outputs),
        ]
      })
    do { try file.write(to: path) } catch { throw .file(error) }
  }

  /// Reads what ``write(to:)`` wrote.
  ///
  /// - Throws: ``SensitivityError`` when the file is none of sensitivity, of another version, or damaged.
  public init(path: String) throws(SensitivityError) {
    do {
      let file = try SafetensorsFile(path: path)
      try self.init(file, path: path)
    } catch {
      throw .file(error)
    }
  }

  private init(_ file: SafetensorsFile, path: String) throws(CheckpointError) {
    guard file.metadata["format"] == Self.format else {
      throw CheckpointError(
        file: path, reason: "is a safetensors file, but holds no sensitivity",
        hint: "`vise sensitivity` makes such files")
    }
    let version = file.metadata["version"] ?? ""
    guard version == String(Self.formatVersion) else {
      throw CheckpointError(
        file: path,
        reason: "has version \(version) of the format, and this Vise reads \(Self.formatVersion)",
        hint: "measure the sensitivity again")
    }
    guard let json = file.metadata["contents"],
      let contents = try? JSONDecoder().decode(Contents.self, from: Data(json.utf8))
    else {
      throw Self.damaged(path, "its contents are no JSON of a sensitivity file")
    }
    let vectors = Dictionary(
      file.vectors.map { ($0.name, $0.values) }, uniquingKeysWith: { first, _ in first })
    var layers: [LayerCosts] = []
    for layer in contents.layers {
      layers.append(
        try Self.costs(of: layer, schemes: contents.schemes, vectors: vectors, path: path))
    }
    guard Set(layers.map(\.layer)).count == layers.count else {
      throw Self.damaged(path, "it names a layer twice")
    }
    guard contents.predictor.isSound else {
      throw Self.damaged(path, "its corrections are no positive numbers")
    }
    self.init(origin: contents.origin, layers: layers, predictor: contents.predictor)
  }

  private static func costs(
    of layer: Contents.Layer, schemes: [Scheme], vectors: [String: [Float]], path: String
  ) throws(CheckpointError) -> LayerCosts {
    guard let inputs = vectors[layer.name + ".inputs"],
      let outputs = vectors[layer.name + ".outputs"]
    else { throw damaged(path, "its vectors are missing", layer: layer.name) }
    guard (inputs + outputs).allSatisfy({ $0.isFinite && $0 >= 0 }),
      [layer.energy, layer.trace].allSatisfy({ $0.isFinite && $0 >= 0 }),
      layer.originalBytes >= 0, layer.tokens > 0
    else {
      throw damaged(path, "it holds a figure that is negative or no number", layer: layer.name)
    }
    var trials: [SchemeTrial] = []
    for trial in layer.trials {
      guard schemes.indices.contains(trial.scheme) else {
        throw damaged(path, "a trial is of no known scheme", layer: layer.name)
      }
      guard trial.bytes >= 0,
        [trial.divergence, trial.standardError].allSatisfy({ $0.isFinite && $0 >= 0 })
      else {
        throw damaged(path, "a trial is negative or no number", layer: layer.name)
      }
      trials.append(
        SchemeTrial(
          scheme: schemes[trial.scheme], bytes: trial.bytes, divergence: trial.divergence,
          standardError: trial.standardError))
    }
    return LayerCosts(
      layer: layer.name, role: layer.role, originalBytes: layer.originalBytes,
      energy: layer.energy,
      fisher: LayerFisher(
        tokens: layer.tokens, inputs: inputs, outputs: outputs, trace: layer.trace),
      trials: trials)
  }

  private static func damaged(
    _ path: String, _ reason: String, layer: String? = nil
  ) -> CheckpointError {
    CheckpointError(
      file: path, tensor: layer, reason: reason, hint: "measure the sensitivity again")
  }
}

extension PlanPredictor {
  /// Whether all figures are ones that a fit can give.
  fileprivate var isSound: Bool {
    ([scale, exponent, spread] + multipliers.values).allSatisfy { $0.isFinite && $0 > 0 }
  }
}
