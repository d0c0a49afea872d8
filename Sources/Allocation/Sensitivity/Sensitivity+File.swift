import Checkpoints
import Compression
import FoundationEssentials

/// The file is a safetensors container: two vectors of F32 a layer, named `<layer>.inputs` and `<layer>.outputs`, and all
/// else as JSON in the header's metadata.
extension Sensitivity {
  /// Of the file; what writes such files elsewhere has to say it.
  public static let formatVersion = 2
  private static let format = "vise-sensitivity"

  private struct Contents: Codable {
    let origin: Origin
    /// Every scheme that some layer was tried with; trials refer to them by index.
    let schemes: [Scheme]
    let layers: [Layer]
    let measurements: [Measurement]

    struct Layer: Codable {
      let name: String
      let role: Role
      let originalBytes: Int
      let energy: Double
      let tokens: Int
      let trace: Double
      let lookupShare: Double
      let trials: [Trial]
    }

    struct Trial: Codable {
      let scheme: Int
      let bytes: Int
      let divergence: Double
      let standardError: Double
    }

    /// Layers and schemes by index, in parallel; layers that are not named stay as they are.
    struct Measurement: Codable {
      let layers: [Int]
      let schemes: [Int]
      let divergence: Double
      let standardError: Double
      let text: String
      let tokens: Int
    }
  }

  /// Writes the file so that it is complete at any time, or as it was before.
  ///
  /// - Throws: ``SensitivityError`` when it cannot be written.
  public func write(to path: String) throws(SensitivityError) {
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

  private var contents: Contents {
    var schemes: [Scheme] = []
    var indices: [Scheme: Int] = [:]
    for scheme in layers.flatMap({ $0.trials.map(\.scheme) }) where indices[scheme] == nil {
      indices[scheme] = schemes.count
      schemes.append(scheme)
    }
    return Contents(
      origin: origin, schemes: schemes,
      layers: layers.map { layer in
        Contents.Layer(
          name: layer.layer, role: layer.role, originalBytes: layer.originalBytes,
          energy: layer.energy, tokens: layer.fisher.tokens, trace: layer.fisher.trace,
          lookupShare: layer.fisher.lookupShare,
          trials: layer.trials.map {
            Contents.Trial(
              scheme: indices[$0.scheme] ?? 0, bytes: $0.bytes, divergence: $0.divergence,
              standardError: $0.standardError)
          })
      },
      measurements: measurements.map { measurement in
        let compressed = layers.enumerated().compactMap { index, layer in
          measurement.schemes[layer.layer].flatMap { indices[$0] }.map { (index, $0) }
        }
        return Contents.Measurement(
          layers: compressed.map(\.0), schemes: compressed.map(\.1),
          divergence: measurement.divergence, standardError: measurement.standardError,
          text: measurement.text, tokens: measurement.tokens)
      })
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
    guard !contents.schemes.contains(where: \.keepsLayer) else {
      throw Self.damaged(path, "one of its schemes changes nothing")
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
    self.init(origin: contents.origin, layers: layers)
    for measurement in contents.measurements {
      measurements.append(try measured(measurement, schemes: contents.schemes, path: path))
    }
    learn()
  }

  private func measured(
    _ measurement: Contents.Measurement, schemes: [Scheme], path: String
  ) throws(CheckpointError) -> MeasuredPlan {
    guard measurement.layers.count == measurement.schemes.count, !measurement.layers.isEmpty,
      measurement.layers.allSatisfy(layers.indices.contains),
      measurement.schemes.allSatisfy(schemes.indices.contains),
      Set(measurement.layers).count == measurement.layers.count
    else { throw Self.damaged(path, "a measurement is of layers or schemes that it does not name") }
    guard measurement.tokens > 0,
      [measurement.divergence, measurement.standardError].allSatisfy({ $0.isFinite && $0 >= 0 })
    else { throw Self.damaged(path, "a measured figure is negative or no number") }
    var plan: [String: Scheme] = [:]
    for (layer, scheme) in zip(measurement.layers, measurement.schemes) {
      plan[layers[layer].layer] = schemes[scheme]
    }
    return MeasuredPlan(
      schemes: plan, divergence: measurement.divergence,
      standardError: measurement.standardError, text: measurement.text,
      tokens: measurement.tokens)
  }

  private static func costs(
    of layer: Contents.Layer, schemes: [Scheme], vectors: [String: [Float]], path: String
  ) throws(CheckpointError) -> LayerCosts {
    guard let inputs = vectors[layer.name + ".inputs"],
      let outputs = vectors[layer.name + ".outputs"]
    else { throw damaged(path, "its vectors are missing", layer: layer.name) }
    guard (inputs + outputs).allSatisfy({ $0.isFinite && $0 >= 0 }),
      [layer.energy, layer.trace].allSatisfy({ $0.isFinite && $0 >= 0 }),
      layer.originalBytes >= 0, layer.tokens > 0, (0...1).contains(layer.lookupShare)
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
        tokens: layer.tokens, inputs: inputs, outputs: outputs, trace: layer.trace,
        lookupShare: layer.lookupShare),
      trials: trials)
  }

  private static func damaged(
    _ path: String, _ reason: String, layer: String? = nil
  ) -> CheckpointError {
    CheckpointError(
      file: path, tensor: layer, reason: reason, hint: "measure the sensitivity again")
  }
}
