import ArgumentParser
import Checkpoints
import Compression
import Engine
import Export
import Foundation
import Inference
import Procedures
import Tensors

/// `vise verify`: whether an export is what its receipt says.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Checks an export against its receipt: files, original, plan and what was measured.",
    discussion: """
      Files are hashed again. Where the original is at hand it is identified, and the texts are; what \
      was measured on them is measured again. --rebuild also makes the export again beside the first, \
      and compares the files. Ends with status 1 when something differs; what cannot be checked \
      because it is not here is said and is no failure.

      --json: export, receipt, checks[] of name, result (same, differs or unchecked), detail; ok.
      """)

  @Argument(help: "An export: a directory, or a GGUF file.", completion: .file())
  var export: String

  @Option(
    help: "The original, where it is elsewhere than when it was exported.", completion: .file())
  var source: String?

  @Flag(help: "Measures nothing: only files, original, texts and plan are checked.")
  var filesOnly = false

  @Flag(help: "Makes the export again from the original and the plan, and compares the files.")
  var rebuild = false

  @Flag(help: "Prints JSON.")
  var json = false

  func run() throws {
    let receipt: Receipt
    do throws(ExportError) { receipt = try Receipt(ofExport: export) } catch {
      throw CommandFailure(status: .failed, message: error.description)
    }
    // A session hears of Ctrl-C where it waits for the engine only, and hashing may take long.
    var checks = receipt.files.map {
      Self.compare($0, path: Self.path(of: $0, in: export), isNeeded: true)
    }
    checks += unlisted(beside: receipt)
    checks.append(stated(by: receipt))
    let session = EngineSession(EngineSettings(streamsExports: true))
    defer { session.close() }
    let origin = source ?? receipt.source.path
    let found = identity(of: origin, stated: receipt.source)
    checks.append(found)
    let isOriginal = found.result == .same
    if let calibration = receipt.calibration {
      checks.append(Self.compare(calibration.text, path: calibration.text.name))
    }
    for measurement in receipt.measured {
      let text = Self.compare(measurement.text, path: measurement.text.name)
      checks.append(text)
      guard !filesOnly else { continue }
      guard isOriginal, text.result == .same else {
        checks.append(
          Check(
            "measured on \(measurement.text.name)", .unchecked,
            isOriginal ? "the text is not what it was" : "the original is not here"))
        continue
      }
      checks += try measured(measurement, beside: origin, in: session)
    }
    if rebuild { checks += try rebuilt(receipt, from: origin, isOriginal, in: session) }
    let result = VerifyResult(
      export: export, receipt: Receipt.path(ofExport: export), checks: checks,
      ok: !checks.contains { $0.result == .differs })
    if json { try JSONOutput.write(result) } else { OutputStream.standard.write(result.text) }
    guard result.ok else {
      let count = checks.count { $0.result == .differs }
      throw CommandFailure(
        status: .failed,
        message: "\(export): \(count == 1 ? "1 check differs" : "\(count) checks differ")")
    }
  }

  /// Where a part of an export is: the export itself where that is one file, whatever it is called now.
  private static func path(of part: Receipt.File, in export: String) -> String {
    let isDirectory = (try? FileSystem.kind(of: export + "/.")) == .directory
    return isDirectory ? "\(export)/\(part.name)" : export
  }

  /// A file beside what is stated of it; without one that `isNeeded`, the export is not what it was.
  private static func compare(
    _ stated: Receipt.File, path: String, isNeeded: Bool = false
  ) -> Check {
    guard FileManager.default.fileExists(atPath: path) else {
      return Check(stated.name, isNeeded ? .differs : .unchecked, "is not here")
    }
    do throws(ExportError) {
      let found = try FileHashing.file(path, as: stated.name)
      if found == stated {
        return Check(stated.name, .same, "\(found.bytes) bytes, \(found.xxh64)")
      }
      return Check(
        stated.name, .differs,
        "stated \(stated.bytes) bytes, \(stated.xxh64); found \(found.bytes), \(found.xxh64)")
    } catch {
      return Check(stated.name, .differs, error.description)
    }
  }

  /// What is in the export's directory and not in the receipt.
  private func unlisted(beside receipt: Receipt) -> [Check] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: export) else {
      return []
    }
    let known = Set(receipt.files.map(\.name) + [Receipt.path(ofExport: export).fileName])
    return names.filter { !known.contains($0) }.sorted().map {
      Check($0, .unchecked, "is not in the receipt")
    }
  }

  /// Whether the export's layers are quantized as the receipt's plan says.
  private func stated(by receipt: Receipt) -> Check {
    let name = "plan"
    do {
      let plan = try Plan(yaml: receipt.plan)
      if let stated = plan.fingerprint, stated != receipt.source.fingerprint {
        return Check(name, .differs, "is of another checkpoint than was exported")
      }
      let model = try Checkpoint.open(export).description
      let schemes = try plan.schemes(for: model.layerShapes)
      // A layer that the plan keeps is as the original has it, which may be quantized.
      let other = model.layers.first { layer in
        guard let wanted = schemes[layer.name]?.quantization else { return false }
        let shape = model.shape(of: layer)
        return StoredScheme(layer, compressing: shape).scheme.quantization?
          .isStored(as: wanted, columns: layer.columns) != true
      }
      guard let other else { return Check(name, .same, "\(schemes.count) layers") }
      let wanted = schemes[other.name]?.summary ?? ""
      return Check(
        name, .differs, "says \(wanted) for \(other.name), which is \(other.storedText)")
    } catch {
      return Check(name, .differs, "\(error)")
    }
  }

  /// Whether the checkpoint at a path is the one that was exported.
  private func identity(of path: String, stated: Receipt.Source) -> Check {
    do throws(CheckpointError) {
      let model = try Checkpoint.open(path).description
      return model.fingerprint == stated.fingerprint
        ? Check("original \(path)", .same, "\(model.tensorBytes) bytes of tensors")
        : Check("original \(path)", .differs, "is another checkpoint than was exported")
    } catch {
      return Check(
        "original \(path)", source == nil ? .unchecked : .differs,
        source == nil ? "is not here; --source says where it is" : "\(error)")
    }
  }

  /// Measures again, and compares figure by figure: the same model, text and protocol give the same figures up to what
  /// other processors round otherwise.
  private func measured(
    _ stated: Receipt.Measurement, beside origin: String, in session: EngineSession
  ) throws(CommandFailure) -> [Check] {
    let found = Receipt.Measurement(
      try session.compare(
        export, with: origin, on: stated.text.name, window: stated.window,
        windows: stated.windowLimit),
      on: stated.text, window: stated.window, windowLimit: stated.windowLimit)
    return stated.figures.sorted { $0.key < $1.key }.map { name, figure in
      let again = found.figures[name]?.value
      let isSame = again.map { abs($0 - figure.value) <= 1e-3 * abs(figure.value) + 1e-9 } ?? false
      let error = figure.standardError.map { " ± \($0.significant(2))" } ?? ""
      return Check(
        "\(name) on \(stated.text.name)", isSame ? .same : .differs,
        "stated \(figure.value.significant(5))\(error), found "
          + (again?.significant(5) ?? "nothing"))
    }
  }

  /// Exports again into a folder beside the export, and compares file by file.
  private func rebuilt(
    _ receipt: Receipt, from origin: String, _ isOriginal: Bool, in session: EngineSession
  ) throws -> [Check] {
    guard isOriginal else {
      return [Check("export made again", .unchecked, "the original is not here")]
    }
    let description = try session.open(origin)
    if let calibration = receipt.calibration {
      _ = try session.calibrate(
        CalibrationRequest(
          textPath: calibration.text.name, window: calibration.window,
          tokenLimit: calibration.tokens, collectsWhenNeeded: true))
    }
    session.setPlan(try Plan(yaml: receipt.plan), for: description)
    let parent = FileSystem.parent(of: export)
    let again = "\(parent)/.vise-verify-\(ProcessInfo.processInfo.processIdentifier)"
    defer {
      try? FileSystem.remove(again)
      try? FileSystem.remove(ExportWriter.partialPath(for: again))
    }
    let request = ExportRequest(format: receipt.format, target: receipt.target, path: again)
    _ = try session.write(request)
    return receipt.files.map { stated in
      let check = Self.compare(stated, path: Self.path(of: stated, in: again))
      return Check("\(stated.name), made again", check.result, check.detail)
    }
  }
}

/// One thing that a receipt says, and what is so.
private struct Check: Encodable {
  enum Result: String, Encodable {
    case same, differs, unchecked
  }

  let name: String
  let result: Result
  let detail: String

  init(_ name: String, _ result: Result, _ detail: String) {
    (self.name, self.result, self.detail) = (name, result, detail)
  }
}

/// What `vise verify --json` prints.
private struct VerifyResult: Encodable {
  let export: String
  let receipt: String
  let checks: [Check]
  let ok: Bool

  var text: String {
    var table = TextTable(["", "what", "found"], words: [0, 1, 2])
    for check in checks { table.add([check.result.rawValue, check.name, check.detail]) }
    let unchecked = checks.count { $0.result == .unchecked }
    let rest = unchecked > 0 ? ", \(unchecked) not checked" : ""
    let same = checks.count { $0.result == .same }
    return "\(table.text)\n\(same) of \(checks.count) are as \(receipt) says\(rest)\n"
  }
}

extension QuantizationScheme {
  /// Whether files hold codes and scales of both schemes in the same form, whatever method chose them.
  fileprivate func isStored(as other: QuantizationScheme, columns: Int) -> Bool {
    block == other.block && float == other.float && bits == other.bits
      && isSymmetric == other.isSymmetric
      && group.weights(inRowOf: columns) == other.group.weights(inRowOf: columns)
  }
}
