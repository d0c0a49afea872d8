import ArgumentParser
import Compression
import Engine
import Export

extension ExportFormat: ExpressibleByArgument {}
extension ExportTarget: ExpressibleByArgument {}

/// What to export for whom, and where to.
struct ExportOptions: ParsableArguments {
  @Option(
    help: """
      compressed-tensors, gguf, recipe or report; without it, what the target loads.
      """)
  var format: ExportFormat?

  @Option(
    help: """
      Who is to load it: transformers, vllm, vllm-cpu or llama.cpp; without it, vllm, and \
      llama.cpp for gguf. `vise targets` says what each can hold.
      """)
  var target: ExportTarget?

  @Option(help: "The directory that is made; for gguf the file.", completion: .file())
  var output: String?

  @Flag(help: "Replaces what is there.")
  var replace = false

  @OptionGroup(title: "Receipt") var receipt: ReceiptOptions

  @Flag(help: "Says what would be written, and what the target cannot hold, and writes nothing.")
  var dryRun = false

  func validate() throws {
    guard format != nil || target != nil else {
      throw ValidationError("Say what to export: --format, --target or both.")
    }
    if let format, let target, let standard = format.standardTarget,
      standard.format != target.format
    {
      throw ValidationError(
        "\(target.rawValue) loads \(target.format.rawValue), not \(format.rawValue).")
    }
    guard receipt.measure == nil || format?.holdsTensors != false else {
      throw ValidationError("--measure is for exports that hold tensors.")
    }
    guard output != nil || dryRun else {
      throw ValidationError("Say where to: --output, or --dry-run for nowhere.")
    }
  }

  var request: ExportRequest {
    let target = target ?? format?.standardTarget ?? .vllm
    return ExportRequest(
      format: format ?? target.format, target: target, path: output ?? "", replaces: replace,
      writesReceipt: !receipt.noReceipt)
  }

  /// Whether something is written in the end.
  var writes: Bool { !dryRun }
}

extension EngineSession {
  private static let export = CommandJob.export.id

  /// What an export of the current plan would write.
  func previewExport(_ request: ExportRequest) throws(CommandFailure) -> ExportPreview {
    send(.previewExport(request))
    return try next { event in
      if case .exportPreview(let preview) = event { preview } else { nil }
    }
  }

  /// Exports the current plan, or only says what that would write if there is an obstacle, or nothing else is asked for.
  func export(
    _ options: ExportOptions, notes: ReportNotes = ReportNotes()
  ) throws(CommandFailure) -> ExportResult {
    var request = options.request
    request.notes = notes
    let preview = try previewExport(request)
    let isPossible = preview.refusals.isEmpty && preview.obstacle == nil
    guard isPossible, options.writes else { return ExportResult(preview, isWritten: false) }
    return ExportResult(try write(request), isWritten: true)
  }

  /// Writes it.
  func write(_ request: ExportRequest) throws(CommandFailure) -> ExportPreview {
    send(.export(Self.export, request))
    do {
      return try next { event in
        if case .exported(Self.export, let written) = event { written } else { nil }
      }
    } catch {
      guard error.status == .cancelled else { throw error }
      throw CommandFailure(
        status: .cancelled,
        message: "cancelled; \(ExportWriter.partialPath(for: request.path)) keeps what is "
          + "complete, and the same command goes on from there")
    }
  }
}

/// What `vise export --json` prints.
struct ExportResult: Encodable {
  struct File: Encodable {
    let name: String
    let bytes: Int
  }

  struct Refusal: Encodable {
    let layer: String
    let reason: String
    let nearest: Nullable<String>
  }

  let format: String
  let target: String
  let output: String
  let written: Bool
  let bytes: Int
  let files: [File]
  let refusals: [Refusal]
  let obstacle: String?
  let notes: [String]
  private let holdsTensors: Bool

  private enum CodingKeys: String, CodingKey {
    case format, target, output, written, bytes, files, refusals, notes
  }

  init(_ preview: ExportPreview, isWritten: Bool) {
    format = preview.request.format.rawValue
    target = preview.request.target.rawValue
    output = preview.request.path
    written = isWritten
    bytes = preview.bytes
    files = preview.files.map { File(name: $0.name, bytes: $0.bytes) }
    refusals = preview.refusals.map {
      Refusal(layer: $0.layer, reason: $0.reason, nearest: Nullable($0.nearest?.summary))
    }
    obstacle = preview.obstacle
    notes = preview.notes
    holdsTensors = preview.request.format.holdsTensors
  }

  /// Ends the command as what stands in the way of the export says.
  func check() throws(CommandFailure) {
    guard refusals.isEmpty else {
      throw CommandFailure(
        status: .badPlan,
        message: "\(target) cannot hold \(refusals.count) "
          + (refusals.count == 1 ? "layer" : "layers") + " of this plan; nothing was written")
    }
    if let obstacle { throw CommandFailure(status: .failed, message: obstacle) }
  }

  /// The same for people: files, or the layers that the target cannot hold.
  var text: String {
    guard refusals.isEmpty else {
      var table = TextTable(["layer", "nearest", "reason"], words: [0, 1, 2])
      for refusal in refusals {
        table.add([refusal.layer, refusal.nearest.value ?? "none", refusal.reason])
      }
      return table.text
    }
    guard !files.isEmpty else { return "" }
    var table = TextTable(["file", "bytes"])
    for file in files { table.add([file.name, String(file.bytes)]) }
    let end = written ? "written to \(output)" : "not written"
    let reader = holdsTensors ? " for \(target)" : ""
    let notes = notes.map { "note: \($0)\n" }.joined()
    return "\(table.text)\n\(bytes.megabytes) MB\(reader), \(end)\n\(notes)"
  }
}
