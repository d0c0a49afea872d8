import Checkpoints
import Compression
import Export
import Tensors
import Work
import Procedures

/// What an export of the current plan needs to know of the model.
extension Workspace {
  /// What an export would write.
  ///
  /// A report's bytes are at least these: what is still to be compressed adds its errors and histograms.
  func exportPreview(_ request: ExportRequest) -> ExportPreview {
    prepared(request).preview
  }

  /// What an export would write, and the encoding that writes it; nil for texts, and where something keeps it from being made.
  func prepared(
    _ request: ExportRequest
  ) -> (preview: ExportPreview, encoding: (any ModelEncoding)?) {
    var made: (any ModelEncoding)?
    var preview = ExportPreview(request: request, files: [])
    if request.format == .gguf { preview.notes = GGUFLimits.notes(on: description) }
    do throws(ExportError) {
      let layout: ExportLayout
      if request.format.holdsTensors {
        preview.refusals = try outline(for: request.target).refusals(of: exportedSchemes)
        guard preview.refusals.isEmpty else { return (preview, nil) }
        let encoding = try exportEncoding(for: request)
        made = encoding
        layout = encoding.layout
        preview.notes += encoding.notes
      } else {
        if request.format == .recipe {
          preview.refusals = CompressorLimits.refusals(
            of: exportedSchemes, for: shapes, target: request.target)
          guard preview.refusals.isEmpty else { return (preview, nil) }
        }
        layout = try textLayout(for: request)
      }
      preview.files = ExportedFile.files(of: layout, for: request)
      if !request.path.isEmpty {
        try ExportWriter.check(
          request.path, as: request.form, replaces: request.replaces, spares: description.path)
      }
    } catch .refused(_, let refusals) {
      preview.refusals = refusals
    } catch {
      preview.obstacle = error.description
    }
    return (preview, made)
  }

  /// All that decides the bytes of an export for a target beside the plan; worked out once.
  func outline(for target: ExportTarget) throws(ExportError) -> ExportOutline {
    if let known = outlines[target] { return known }
    let outline = try ExportOutline(of: checkpoint, for: target)
    outlines[target] = outline
    return outline
  }

  /// The format's encoding of the model under the current plan.
  func exportEncoding(for request: ExportRequest) throws(ExportError) -> any ModelEncoding {
    let model = ExportModel(checkpoint: checkpoint, schemes: exportedSchemes)
    switch request.format {
    case .recipe, .report: preconditionFailure("texts have no tensors to encode")
    case .compressedTensors, .gguf:
      guard request.target.format == request.format else {
        throw .unsupported(
          reason: "\(request.target.rawValue) does not load \(request.format.rawValue)",
          hint: "export \(request.target.format.rawValue) for it")
      }
    }
    return request.format == .gguf
      ? try GGUFEncoding(model: model)
      : try CompressedTensorsEncoding(model: model, target: request.target)
  }

  /// An export that is text about the model under the current plan.
  func textLayout(for request: ExportRequest) throws(ExportError) -> ExportLayout {
    if request.format == .recipe { return try recipeLayout(for: request.target) }
    return report(with: request.notes).layout
  }

  /// All that an export's tensors come from, in words, but for what its layers hold: the model, the plan, the calibration.
  ///
  /// - Parameters:
  ///   - request: What is exported for whom.
  ///   - contents: A hash of the whole checkpoint where every layer depends on all of it.
  /// - Returns: What another export has only by chance.
  func exportPurpose(for request: ExportRequest, contents: String?) -> String {
    var parts = [
      EngineSettings.version, request.target.rawValue, description.fingerprint, contents ?? "",
      "\(exportedSchemes)",
    ]
    if exportedSchemes.contains(where: { $0.calibrationNeed > .nothing }), let calibration {
      parts.append("\(calibration.windows)")
    }
    return parts.joined(separator: "\n")
  }

  /// Whether what becomes of a layer depends on more than its own weights: on what the model computes before it, or on
  /// what a structure takes.
  var exportsDependOnAll: Bool {
    structure != nil || exportedSchemes.contains { $0.calibrationNeed > .nothing }
  }

  /// A layer as an export writes it, if it is at hand.
  func compressedLayer(
    for key: LayerCache.Key
  ) throws(JobFailure) -> CompressedLayer? {
    let shape = shapes[key.layer]
    if let result = result(for: key) {
      return CompressedLayer(shape: shape, scheme: key.scheme, weights: result.weights)
    }
    guard key.scheme.keepsLayer else { return nil }
    return CompressedLayer(
      shape: shape, scheme: .keep, weights: try matrix(of: key.layer))
  }

  /// Whether ``compressedLayer(for:)`` has the layer.
  func isAtHand(_ key: LayerCache.Key) -> Bool { key.scheme.keepsLayer || hasResult(for: key) }

  /// The norms that took scales of layers back, by their names, with the weights that belong to what layers became under `keys`.
  ///
  /// Layers that share channel scales with their norm must be at hand.
  func foldedNorms(for keys: [LayerCache.Key]) -> [String: [Float]] {
    var folded: [String: [Float]] = [:]
    for key in keys where key.scheme.usesAWQ {
      if let norm = result(for: key)?.fold.norm { folded[norm.name] = norm.weights }
    }
    return folded
  }

  /// The scheme of every layer in the current plan, in the order of the layers.
  var exportedSchemes: [Scheme] { plan.keys.map(\.scheme) }
}

extension ExportRequest {
  /// What appears at the path.
  var form: ExportForm { format == .gguf ? .file : .directory }
}

extension ExportedFile {
  /// The files of a layout; a single file has the name that was asked for.
  static func files(of layout: ExportLayout, for request: ExportRequest) -> [ExportedFile] {
    let all =
      layout.files.map { ExportedFile(name: $0.name, bytes: $0.byteCount) }
      + layout.copies.map { ExportedFile(name: $0.name, bytes: $0.byteCount) }
    guard request.form == .file, let name = request.path.split(separator: "/").last else {
      return all
    }
    return all.map { ExportedFile(name: String(name), bytes: $0.bytes) }
  }
}
