import ArgumentParser
import Compression
import Engine
import Foundation
import Inference
import Serving
import Sessions
import Tensors

/// `vise jobs`: what was sent to clusters.
struct JobsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs",
    abstract: "Lists, follows, stops and fetches jobs on Ray clusters.",
    discussion: """
      A job is named by its id, or the beginning of it; the cluster is known of those that were sent from here.
      """,
    subcommands: [
      JobListCommand.self, JobStatusCommand.self, JobLogsCommand.self, JobStopCommand.self,
      JobFetchCommand.self, JobDeleteCommand.self,
    ], defaultSubcommand: JobListCommand.self)
}

/// A job, and the cluster that it is on.
struct JobArgument: ParsableArguments {
  @Argument(help: "The job's id, or the beginning of it.")
  var id: String

  @OptionGroup var cluster: ClusterOptions

  /// The job as it was sent, where it was sent from here, and its cluster.
  func found(in book: JobBook) throws(CommandFailure) -> (
    id: String, kept: SubmittedJob?, cluster: RayCluster
  ) {
    let kept = try book.job(id)
    if let kept, cluster.cluster == nil {
      do throws(ServerFailure) {
        return (kept.id, kept, RayCluster(try ClusterAddress(kept.cluster)))
      } catch {
        throw CommandFailure(status: .failed, message: error.description)
      }
    }
    return (kept?.id ?? id, kept, try cluster.needed())
  }
}

/// `vise jobs list`.
struct JobListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Lists the jobs that were sent from here, the newest first, or all of --cluster's.",
    discussion:
      "--json: jobs[] of id, state, cluster, model, steps, submitted (ISO 8601, or null), folder.")

  @OptionGroup var cluster: ClusterOptions

  @Flag(help: "Prints JSON.")
  var json = false

  private struct Row: Encodable {
    let id: String
    let state: String
    let cluster: String
    let model: String
    let steps: String
    let submitted: Nullable<String>
    let folder: String
  }

  func run() throws {
    let rows = try rows()
    if json { return try JSONOutput.write(["jobs": rows]) }
    guard !rows.isEmpty else {
      return OutputStream.standard.writeLine("No job was sent from here.")
    }
    var table = TextTable(
      ["id", "state", "submitted", "model", "steps", "cluster"], words: [0, 1, 2, 3, 4, 5])
    for row in rows {
      table.add([row.id, row.state, row.submitted.value ?? "", row.model, row.steps, row.cluster])
    }
    OutputStream.standard.write(table.text)
  }

  private func rows() throws(CommandFailure) -> [Row] {
    guard let named = cluster.cluster else { return try kept() }
    let cluster = try cluster.needed()
    return try awaited { () async throws(ServerFailure) in try await cluster.jobs() }.map { job in
      Row(
        id: job.id, state: job.state.word, cluster: named, model: job.notes["vise_model"] ?? "",
        steps: job.entrypoint,
        submitted: Nullable(
          job.started.map { Date(timeIntervalSince1970: $0).formatted(.iso8601) }),
        folder: job.notes["vise_folder"] ?? "")
    }
  }

  /// The jobs of this user, with the state of those that may have changed asked anew.
  private func kept() throws(CommandFailure) -> [Row] {
    let book = try JobBook()
    return try book.jobs().map { job throws(CommandFailure) in
      let state = try JobListCommand.state(of: job, in: book)
      return Row(
        id: job.id, state: state, cluster: job.cluster, model: job.model,
        steps: job.steps.joined(separator: ","),
        submitted: Nullable(job.submitted.formatted(.iso8601)),
        folder: job.folder)
    }
  }

  /// What became of a job; as it was last, where its cluster does not answer.
  private static func state(of job: SubmittedJob, in book: JobBook) throws(CommandFailure) -> String
  {
    let known = ClusterJobState(rawValue: job.state) ?? .pending
    guard !known.isOver, let address = try? ClusterAddress(job.cluster) else { return known.word }
    let cluster = RayCluster(address)
    let state: ClusterJobState
    do throws(CommandFailure) {
      state = try awaited { () async throws(ServerFailure) in
        try await cluster.job(job.id)?.state ?? .lost
      }
    } catch {
      return "\(known.word)?"
    }
    try book.note(state, of: job.id)
    return state.word
  }
}

/// `vise jobs status`.
struct JobStatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Tells a job's state; ends with 1 if it failed or is lost.",
    discussion:
      "--json: id, state, message, entrypoint, started and ended (seconds since 1970, or null).")

  @OptionGroup var job: JobArgument

  @Flag(help: "Prints JSON.")
  var json = false

  private struct Result: Encodable {
    let id: String
    let state: String
    let message: String
    let entrypoint: String
    let started: Figure
    let ended: Figure
  }

  func run() throws {
    let book = try JobBook()
    let (id, _, cluster) = try job.found(in: book)
    let found =
      try awaited { () async throws(ServerFailure) in try await cluster.job(id) }
      ?? ClusterJob(id: id, state: .lost)
    try book.note(found.state, of: id)
    if json {
      try JSONOutput.write(
        Result(
          id: id, state: found.state.word, message: found.message, entrypoint: found.entrypoint,
          started: Figure(found.started), ended: Figure(found.ended)))
    } else {
      let message = found.message.isEmpty ? "" : ": \(found.message)"
      OutputStream.standard.writeLine("\(id) \(found.state.word)\(message)")
    }
    if [.failed, .lost].contains(found.state) { try JobWatch.check(found) }
  }
}

/// `vise jobs logs`.
struct JobLogsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "Prints what a job has written.")

  @OptionGroup var job: JobArgument

  @Flag(name: .shortAndLong, help: "Goes on until the job is over.")
  var follow = false

  func run() throws {
    let book = try JobBook()
    let (id, _, cluster) = try job.found(in: book)
    guard follow else {
      let text = try awaited { () async throws(ServerFailure) in try await cluster.log(of: id) }
      var log = JobLog()
      return OutputStream.standard.write(
        log.take(text, isOver: true).map { $0 + "\n" }.joined())
    }
    let end = try JobWatch.follow(id, on: cluster, printsLog: true)
    try book.note(end.state, of: id)
    try JobWatch.check(end)
  }
}

/// `vise jobs stop`.
struct JobStopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop",
    abstract: "Asks a job to end, and waits for it; what is complete stays on the cluster.")

  @OptionGroup var job: JobArgument

  @Flag(help: "Does not wait.")
  var noWait = false

  func run() throws {
    let book = try JobBook()
    let (id, _, cluster) = try job.found(in: book)
    try awaited { () async throws(ServerFailure) in try await cluster.stop(id) }
    guard !noWait else { return }
    let end = try JobWatch.follow(id, on: cluster, printsLog: false)
    try book.note(end.state, of: id)
    if OutputStream.error.isTerminal { OutputStream.error.replaceLine(with: nil) }
    OutputStream.standard.writeLine("\(id) \(end.state.word)")
  }
}

/// `vise jobs delete`.
struct JobDeleteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract:
      "Lets the cluster, and Vise, forget a job that is over; its folder on the cluster stays.")

  @OptionGroup var job: JobArgument

  func run() throws {
    let book = try JobBook()
    let (id, _, cluster) = try job.found(in: book)
    try awaited { () async throws(ServerFailure) in
      if try await cluster.job(id) != nil { try await cluster.delete(id) }
    }
    try book.forget(id)
  }
}
