import Engine
import Export
import Serving
import Sessions

/// A job as it is sent to a cluster.
struct ClusterSending: Hashable, Sendable {
  let submission: JobSubmission
  let package: JobPackage
}

/// What was asked of a cluster with `:submit`: `URL [MODEL] [gpus=N] [work=DIR]`.
struct SubmitWords: Hashable, Sendable {
  let address: ClusterAddress
  /// The checkpoint on the cluster; nil for the path that it has here.
  private(set) var model: String?
  private(set) var gpus = 0.0
  private(set) var root = ClusterRequest.standardRoot

  /// - Throws: ``ServerFailure`` for what is no cluster's URL, and for words that mean nothing.
  init(_ text: String) throws(ServerFailure) {
    let words = text.split(separator: " ")
    address = try ClusterAddress(String(words.first ?? ""))
    for word in words.dropFirst() {
      let parts = word.split(separator: "=", maxSplits: 1)
      switch (parts.first, parts.count) {
      case ("gpus", 2):
        guard let number = Double(parts[1]), number >= 0, number.isFinite else {
          throw ServerFailure("\(word): gpus is 0 or more")
        }
        gpus = number
      case ("work", 2): root = String(parts[1])
      case (_, 1) where model == nil: model = String(word)
      default:
        throw ServerFailure("submit takes URL [MODEL ON THE CLUSTER] [gpus=N] [work=DIRECTORY]")
      }
    }
  }
}

/// The jobs of the open model on clusters, by their numbers in the list of jobs.
struct ClusterState: Hashable, Sendable {
  struct Entry: Hashable, Sendable {
    var job: SubmittedJob
    /// As it was heard last; nil before the cluster said anything.
    var state: ClusterJobState?
    var progress: ClusterProgress?
    /// The end of its log.
    var log: [String] = []
    /// Why nothing is heard of it now.
    var outage: String?
  }

  /// Lines of a log that are kept.
  static let logLimit = 500

  private(set) var entries: [JobID: Entry] = [:]
  /// What was asked for and is being packed.
  var packing: [JobID: SubmitWords] = [:]
  /// The cluster that was named last.
  var lastURL: String?

  /// The number of a job in the list, by its id on the cluster.
  func number(of id: String) -> JobID? { entries.first { $0.value.job.id == id }?.key }

  mutating func add(_ job: SubmittedJob, as number: JobID) { entries[number] = Entry(job: job) }

  mutating func change(_ number: JobID, _ change: (inout Entry) -> Void) {
    guard var entry = entries.removeValue(forKey: number) else { return }
    change(&entry)
    entries[number] = entry
  }
}
