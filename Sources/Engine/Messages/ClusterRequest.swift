import Export
import Serving

/// How a packed job is run on a cluster.
public struct ClusterRequest: Codable, Hashable, Sendable {
  /// Where jobs keep what they have done, unless something else is asked for: on storage that all nodes share.
  public static let standardRoot = "~/vise-jobs"

  /// The checkpoint on the cluster: a path there, or its name on the Hugging Face hub.
  public var model: String
  /// The folder on the cluster below which each job has one of its own.
  public var root: String
  /// GPUs of the job's command, or of each task of sensitivity; 0 runs on processors.
  public var gpus: Double
  /// Tasks of sensitivity at a time.
  public var workers: Int
  /// Arguments of `vllm serve`, which the job ends with; nil serves nothing.
  public var serving: [String]?

  public init(
    model: String, root: String = standardRoot, gpus: Double = 0, workers: Int = 2,
    serving: [String]? = nil
  ) {
    self.model = model
    self.root = root
    self.gpus = gpus
    self.workers = workers
    self.serving = serving
  }

  /// What the job does, in order.
  public func steps(of packed: PackedJob) -> [String] {
    packed.request.steps + (serving == nil ? [] : ["serve"])
  }

  /// Where the cluster keeps what the job has done; the same for the same files, so that a job that is sent again goes on.
  public func folder(of package: JobPackage) -> String { "\(root)/\(package.digest)" }

  /// The command that carries the job out, in the folder of its files.
  public func command(of packed: PackedJob, in package: JobPackage) -> String {
    let isSensitivity = if case .sensitivity = packed.request.purpose { true } else { false }
    var words = [
      "python", "job.py", "--model", model, "--work", folder(of: package), "--steps",
      steps(of: packed).joined(separator: ","),
    ]
    if isSensitivity { words += ["--workers", String(workers), "--gpus", String(gpus)] }
    if let serving {
      words.append("--serve=" + serving.map(JobSubmission.quoted).joined(separator: " "))
    }
    return words.map(JobSubmission.quoted).joined(separator: " ")
  }

  /// Whether Ray starts the server's workers, on several nodes.
  private var servesOnNodes: Bool { serving?.contains("ray") ?? false }

  /// The job as Ray is asked for it.
  public func submission(of packed: PackedJob, in package: JobPackage, id: String) -> JobSubmission
  {
    let isSensitivity = if case .sensitivity = packed.request.purpose { true } else { false }
    return JobSubmission(
      id: id, entrypoint: command(of: packed, in: package), package: package.name,
      // Lines that several tasks write alike are not left out, and none waits in a buffer.
      variables: ["PYTHONUNBUFFERED": "1", "RAY_DEDUP_LOGS": "0"],
      notes: [
        "vise_model": packed.model, "vise_fingerprint": packed.fingerprint,
        "vise_folder": folder(of: package),
      ],
      // Tasks of sensitivity and workers of a server have their own: a command that held them would keep these waiting.
      gpus: isSensitivity || servesOnNodes ? 0 : gpus)
  }
}
