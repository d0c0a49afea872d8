import ArgumentParser
import Compression
import Foundation
import Inference
import Serving
import Sessions
import Tensors

/// `vise jobs fetch`: what comes back of a job.
struct JobFetchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract: "Brings a job's results here: figures, sensitivity and, with --model, the model.",
    discussion: """
      Figures of a plan are shown, and kept with the model's evaluations: the workbench lists them with its own (F5), \
      and shows them beside the plan on the Compare screen.

      --json: id, output, files[] of name, bytes; where the job measured its result also evaluation, as \
      `vise evaluate --json` has it.
      """)

  @OptionGroup var job: JobArgument

  @Option(help: "The directory that files go into; it is made.", completion: .directory)
  var output: String

  @Flag(help: "Brings the compressed model too.")
  var model = false

  @Flag(help: "Prints JSON.")
  var json = false

  private struct Result: Encodable {
    let id: String
    let output: String
    let files: [ExportResult.File]
    let evaluation: EvaluateResult?
  }

  func run() throws {
    let book = try JobBook(makes: true)
    let (id, kept, cluster) = try job.found(in: book)
    guard let kept else {
      throw CommandFailure(
        status: .failed,
        message: "job \(id) was not sent from here, so that its folder is not known")
    }
    let (output, takesModel) = (output, model)
    let results = JobResults(in: kept.folder, package: kept.package, on: cluster)
    let files = try awaited { () async throws(ServerFailure) in try await results.files() }
      .filter { takesModel || !$0.name.hasPrefix("model/") }
    for file in files { try fetch(file, from: results) }
    guard !files.isEmpty else {
      throw CommandFailure(
        status: .failed, message: "\(kept.folder) on the cluster holds no result yet")
    }
    let evaluation = try evaluation(of: kept, among: files, book)
    if json {
      return try JSONOutput.write(
        Result(
          id: id, output: output, files: files.map { .init(name: $0.name, bytes: $0.bytes) },
          evaluation: evaluation.map(EvaluateResult.init)))
    }
    var table = TextTable(["file", "bytes"])
    for file in files { table.add([file.name, String(file.bytes)]) }
    OutputStream.standard.write("\(table.text)\nwritten to \(output)\n")
    if let evaluation { OutputStream.standard.write(EvaluateCommand.text(of: evaluation)) }
  }

  /// Brings a file, which appears under its name once it is complete.
  private func fetch(_ file: ClusterFile, from results: JobResults) throws(CommandFailure) {
    let path = "\(output)/\(file.name)"
    do {
      try FileManager.default.createDirectory(
        atPath: FileSystem.parent(of: path), withIntermediateDirectories: true)
      let target = try OutputFile(path: path)
      for offset in results.parts(of: file) {
        let part = try awaited { () async throws(ServerFailure) in
          try await results.part(of: file, from: offset)
        }
        try target.write(Array(part))
      }
      try target.commit()
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure(status: .failed, message: "\(path): cannot be written: \(error)")
    }
  }

  /// What the job measured, which is kept with the model's evaluations.
  private func evaluation(
    of job: SubmittedJob, among files: [ClusterFile], _ book: JobBook
  ) throws(CommandFailure) -> EvaluationSummary? {
    guard files.contains(where: { $0.name == "evaluation.json" }) else { return nil }
    let path = "\(output)/evaluation.json"
    do {
      let file = try EvaluationFile(
        try TextFile.read(path, limit: EvaluationFile.sizeLimit, as: "an evaluation"))
      try book.keep(file, of: job)
      return file.summary
    } catch let failure as CommandFailure {
      throw failure
    } catch let flaw as EvaluationFile.Flaw {
      throw CommandFailure(status: .failed, message: "\(path) \(flaw.reason)")
    } catch {
      throw CommandFailure(status: .failed, message: "\(error)")
    }
  }
}
