import ArgumentParser
import Checkpoints
import Compression
import Engine
import Export
import Fitting
import Foundation
import Serving
import Sessions

/// `vise submit`: a plan, carried out where the GPUs are.
struct SubmitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "submit",
    abstract: "Lets a Ray cluster carry a plan out, or measure sensitivity.",
    discussion: """
      The recipe's folder goes to the cluster as a job: llm-compressor makes the model there, from the cluster's own \
      copy of the checkpoint (--cluster-model), and with --text the result is measured beside the original on the \
      same windows as here. The job's log is printed until it is over; ctrl-c leaves the job running, and `vise \
      jobs` finds it again. A job that is sent again goes on from what is complete. --dry-run lists all that would \
      be sent, and sends nothing.

      --json: id, cluster, folder, package, bytes, files[] of name, bytes, entrypoint, sent.
      """)

  @OptionGroup var model: ModelArgument

  @Option(help: "A plan file.", completion: .file(extensions: ["yaml", "yml"]))
  var plan: String?

  @Flag(help: "Measures sensitivity in place of carrying out a plan.")
  var sensitivity = false

  @Option(help: "Who is to load it: vllm, vllm-cpu or transformers.")
  var target: ExportTarget = .vllm

  @OptionGroup var cluster: ClusterOptions

  @OptionGroup(title: "On the cluster") var place: ClusterPlaceOptions

  @OptionGroup(title: "Texts") var texts: ClusterTextOptions

  @OptionGroup(title: "Serving") var serving: ClusterServingOptions

  @OptionGroup(title: "Kubernetes") var kubernetes: KubernetesOptions

  @Flag(help: "Ends as soon as the job is submitted.")
  var noWait = false

  @Flag(help: "Lists what would be sent, and sends nothing.")
  var dryRun = false

  @Flag(help: "Prints JSON.")
  var json = false

  func validate() throws {
    guard (plan != nil) != sensitivity else {
      throw ValidationError("Say what to do: --plan FILE, or --sensitivity.")
    }
    guard !(serving.serve && sensitivity) else {
      throw ValidationError("--serve is for a plan.")
    }
    guard !serving.serve || target == .vllm else {
      throw ValidationError("--serve is for --target vllm.")
    }
    try CalibrationOptions.check(window: texts.window, tokens: texts.calibrationTokens)
  }

  func run() throws {
    let address = try cluster.address()
    guard dryRun || address != nil || kubernetes.isAskedFor else {
      throw CommandFailure(
        status: .usage, message: "say which cluster: --cluster http://HEAD:8265")
    }
    let (description, packed, arguments) = try pack()
    let package = JobPackage(files: packed.files)
    var request = place.request(model: model.path)
    request.serving = arguments
    if kubernetes.isAskedFor {
      return OutputStream.standard.write(
        try kubernetes.manifest(of: packed, in: package, request, nodes: serving.nodes))
    }
    let job = request.submission(of: packed, in: package, id: JobSubmission.makeID())
    if let address, !dryRun {
      try JobBook(makes: true).note(description)
      try send(job, request, packed, package, to: RayCluster(address))
    } else {
      try tell(job, request, package, isSent: false)
    }
  }

  private func pack() throws -> (
    description: ModelDescription, packed: PackedJob, serving: [String]?
  ) {
    let session = EngineSession(EngineSettings(streamsExports: true))
    defer { session.close() }
    let description = try session.open(model.path)
    if let plan { session.setPlan(try PlanFile.read(plan), from: plan, for: description) }
    let purpose: JobPackRequest.Purpose =
      sensitivity ? .sensitivity(try texts.schemes()) : .compression(target)
    let request = JobPackRequest(
      purpose,
      calibrationPath: texts.calibration ?? CalibrationText.standard(forModelAt: model.path),
      calibrationTokens: texts.calibrationTokens,
      evaluationPath: sensitivity ? nil : texts.text, evaluationWindows: texts.windows,
      window: texts.window)
    let packed = try session.pack(request)
    guard serving.serve, let plan else { return (description, packed, nil) }
    let sizes = try serving.sizes(
      of: description, plan: try PlanFile.read(plan), in: session, target, gpus: place.gpus)
    return (description, packed, sizes.arguments)
  }

  private func send(
    _ job: JobSubmission, _ request: ClusterRequest, _ packed: PackedJob, _ package: JobPackage,
    to cluster: RayCluster
  ) throws {
    let book = try JobBook(makes: true)
    let (name, archive) = (package.name, package.archive)
    let version = try awaited { () async throws(ServerFailure) in
      let version = try await cluster.version()
      _ = try await cluster.bring(name, archive)
      return version
    }
    // Kept before it is sent: should the answer be lost, the job is still known.
    try book.record(
      SubmittedJob(
        id: job.id, cluster: cluster.address.base, model: packed.model,
        fingerprint: packed.fingerprint, plan: packed.plan, steps: request.steps(of: packed),
        package: name, folder: request.folder(of: package), bytes: packed.bytes,
        bitsPerWeight: packed.bitsPerWeight, state: ClusterJobState.pending.rawValue))
    do throws(CommandFailure) {
      try awaited { () async throws(ServerFailure) in try await cluster.submit(job) }
    } catch {
      try book.forget(job.id)
      throw error
    }
    try tell(job, request, package, isSent: true)
    guard !noWait else { return }
    OutputStream.error.writeLine(
      "vise: job \(job.id) on \(cluster.address.base), Ray \(version); ctrl-c leaves it running, and `vise jobs logs "
        + "\(job.id) --follow` follows it again")
    let end = try JobWatch.follow(job.id, on: cluster, printsLog: !json)
    try book.note(end.state, of: job.id)
    try JobWatch.check(end)
  }

  private func tell(
    _ job: JobSubmission, _ request: ClusterRequest, _ package: JobPackage, isSent: Bool
  ) throws {
    let archive = package.archive.count
    if json {
      return try JSONOutput.write(
        SubmitResult(
          id: job.id, cluster: try cluster.address()?.base, folder: request.folder(of: package),
          package: package.name, bytes: archive,
          files: package.files.map { .init(name: $0.name, bytes: $0.bytes) },
          entrypoint: job.entrypoint, sent: isSent))
    }
    guard !isSent else { return OutputStream.standard.writeLine(job.id) }
    var table = TextTable(["file", "bytes"])
    for file in package.files { table.add([file.name, String(file.bytes)]) }
    let key = ServerKey.clusterNames.joined(separator: ", else ")
    OutputStream.standard.write(
      """
      \(table.text)
      sent as \(package.name), \(archive) bytes, unless the cluster has it; then as POST /api/jobs/:
      \(job.text)
      and with each request the key of \(key), if there is one. Nothing was sent.

      """)
  }
}

/// What `vise submit --json` prints.
private struct SubmitResult: Encodable {
  let id: String
  let cluster: String?
  let folder: String
  let package: String
  let bytes: Int
  let files: [ExportResult.File]
  let entrypoint: String
  let sent: Bool
}

/// Where a job finds the checkpoint, and what it may use.
struct ClusterPlaceOptions: ParsableArguments {
  @Option(
    help:
      "The checkpoint there: a path on the cluster or its name on the hub; without it, MODEL's full path."
  )
  var clusterModel: String?

  @Option(help: "The folder there that outlives jobs, on storage that all nodes share.")
  var work = ClusterRequest.standardRoot

  @Option(help: "GPUs of the job, or of each task of --sensitivity.")
  var gpus = 0.0

  @Option(help: "Tasks of --sensitivity at a time.")
  var workers = 2

  func validate() throws {
    guard gpus >= 0, gpus.isFinite else { throw ValidationError("--gpus is 0 or more.") }
    guard workers > 0 else { throw ValidationError("--workers is at least 1.") }
  }

  /// How the job is run.
  func request(model path: String) -> ClusterRequest {
    ClusterRequest(
      model: clusterModel ?? URL(filePath: path).standardizedFileURL.path, root: work, gpus: gpus,
      workers: workers)
  }
}

/// What a job on a cluster reads.
struct ClusterTextOptions: ParsableArguments {
  @Option(
    help: "A text to measure the result on; without it, it is not measured.", completion: .file())
  var text: String?

  @Option(help: "Most windows of --text.")
  var windows = 32

  @Option(
    help: """
      A text to calibrate on; without it, calibration.txt beside the model or in Samples.
      """, completion: .file())
  var calibration: String?

  @Option(help: "Most tokens to read of --calibration.")
  var calibrationTokens = 16_384

  @Option(help: "Tokens a window; without it, 512 or the model's context if that is shorter.")
  var window: Int?

  @Option(
    help:
      "Integer schemes that --sensitivity tries, rounded to nearest, as `vise sensitivity` has them."
  )
  var candidates = "int/rtn"

  func validate() throws {
    guard windows > 0 else { throw ValidationError("--windows is at least 1.") }
  }

  func schemes() throws(CommandFailure) -> [Scheme] {
    try CandidateOptions.schemes(named: candidates)
  }
}

extension EngineSession {
  private static let pack = CommandJob.pack.id

  /// Packs a job for a cluster.
  func pack(_ request: JobPackRequest) throws(CommandFailure) -> PackedJob {
    send(.packJob(Self.pack, request))
    return try next { event in
      if case .jobPacked(Self.pack, let packed) = event { packed } else { nil }
    }
  }
}
