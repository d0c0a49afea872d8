import Export
import Foundation
import TestServer
import Testing

/// `vise submit` and `vise jobs`, with a cluster of another process that plays Ray.
@Suite struct ClusterCommandTests {
  private static let running = Result { try TestServer() }

  private let server: TestServer
  private let model: TinyModel
  private let plan: String
  private let text: String
  private let environment: [String: String]

  init() throws {
    server = try Self.running.get()
    model = try TinyModel()
    plan = try model.write(
      "vise: 1\nrules:\n  - { layers: \"*.mlp.*\", bits: 4, group: 32 }\n", to: "plan.yaml")
    text = try model.write(
      String(repeating: "In the beginning God created the heaven and the earth.\n", count: 20),
      to: "text.txt")
    environment = ["XDG_STATE_HOME": "\(model.path)/state"]
  }

  private func vise(_ arguments: [String], key: String? = nil) throws -> ViseProcess {
    var environment = environment
    environment["VISE_CLUSTER_KEY"] = key
    return try ViseProcess(arguments, environment: environment)
  }

  private func submit(_ cluster: String, _ more: [String] = []) throws -> ViseProcess {
    try vise(
      ["submit", model.path, "--plan", plan, "--target", "transformers", "--cluster"]
        + [server.url("cluster/\(cluster)"), "--work", "\(model.path)/work"] + more)
  }

  private func seen(_ cluster: String) throws -> [[String: Any]] {
    let url = try #require(URL(string: server.url("cluster/\(cluster)/seen")))
    return try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [[String: Any]] ?? []
  }

  @Test func aDryRunListsEverythingAndAsksNobody() throws {
    let run = try submit("dry", ["--dry-run", "--text", text, "--window", "32"])
    #expect(run.status == 0, "\(run.errors)")
    for said in [
      "recipe.yaml", "evaluation.json", "\"entrypoint\"", "_ray_pkg_", "Nothing was sent",
    ] {
      #expect(run.output.contains(said), "\(said)")
    }
    #expect(try seen("dry").isEmpty)
    let list = try vise(["jobs", "list"])
    #expect(list.output == "No job was sent from here.\n")
  }

  @Test func aJobIsSentFollowedAndFetched() throws {
    let dry = try submit("whole", ["--dry-run", "--json"]).object()
    let run = try submit("whole")
    #expect(run.status == 0, "\(run.errors)")
    // The id, and the job's lines.
    let lines = run.output.split(separator: "\n")
    #expect(lines.dropFirst() == ["line 0", "line 1", "line 2", "line 3"])
    let id = try #require(lines.first.map(String.init))
    let put = try #require(try seen("whole").first { $0["method"] as? String == "PUT" })
    #expect(put["bytes"] as? Int == dry["bytes"] as? Int)
    let jobs = try vise(["jobs", "list", "--json"]).object()["jobs"] as? [[String: Any]]
    #expect(jobs?.count == 1 && jobs?[0]["state"] as? String == "succeeded")
    let folder = try #require(jobs?[0]["folder"] as? String)
    #expect(folder == dry["folder"] as? String)
    // What the job would have left there.
    try FileManager.default.createDirectory(
      atPath: "\(folder)/model", withIntermediateDirectories: true)
    try Data("{}".utf8).write(to: URL(filePath: "\(folder)/model/config.json"))
    let none = try vise(["jobs", "fetch", String(id.prefix(9)), "--output", "\(model.path)/out"])
    #expect(none.status == 1 && none.errors.contains("holds no result yet"))
    let evaluation = """
      {"format": "vise-evaluation", "version": 1, "text": "e.txt", "windows": [{"count": 1,
      "reference_loss": 2, "loss": 2.5, "squared_changes": 0, "agreements": 1, "divergences": [0.25]}]}
      """
    try Data(evaluation.utf8).write(to: URL(filePath: "\(folder)/evaluation.json"))
    let fetched = try vise(["jobs", "fetch", id, "--output", "\(model.path)/out", "--model"])
    #expect(fetched.status == 0 && fetched.output.contains("KLD mean"), "\(fetched.errors)")
    let config = try String(contentsOfFile: "\(model.path)/out/model/config.json", encoding: .utf8)
    #expect(config == "{}")
    let history = try vise(["history", model.path, "--json"]).object()
    let kept = history["evaluations"] as? [[String: Any]]
    #expect(kept?.count == 1 && kept?[0]["kld"] as? Double == 0.25)
  }

  @Test func jobsAreStoppedAndForgotten() throws {
    let id = try submit("ends", ["--no-wait"]).output.trimmingCharacters(
      in: .whitespacesAndNewlines)
    let stopped = try vise(["jobs", "stop", id])
    #expect(stopped.output == "\(id) stopped\n", "\(stopped.errors)")
    #expect(try vise(["jobs", "delete", id]).status == 0)
    let status = try vise(
      ["jobs", "status", id, "--cluster", server.url("cluster/ends"), "--json"])
    #expect(try status.object()["state"] as? String == "lost")
    #expect(status.status == 1)
    #expect(try vise(["jobs"]).output == "No job was sent from here.\n")
  }

  @Test func whatIsMissingIsSaid() throws {
    let nowhere = try vise(["submit", model.path, "--plan", plan])
    #expect(nowhere.status == 64 && nowhere.errors.contains("--cluster"))
    let nothing = try vise(["submit", model.path, "--cluster", "http://127.0.0.1:1"])
    #expect(nothing.status == 64)
    let gone = try vise(["submit", model.path, "--plan", plan, "--cluster", "http://127.0.0.1:1"])
    #expect(gone.status == 1 && gone.errors.contains("nobody answers there"))
    let locked = try submit("locked-door")
    #expect(locked.status == 1 && locked.errors.contains("set VISE_CLUSTER_KEY"))
    // Nothing is kept of what was never sent.
    #expect(try vise(["jobs"]).output == "No job was sent from here.\n")
  }

  @Test func kubernetesTakesTheSameFiles() throws {
    let run = try vise([
      "submit", model.path, "--plan", plan, "--target", "transformers", "--format", "rayjob",
      "--image", "i:1", "--cluster-model", "org/m",
    ])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("kind: ConfigMap") && run.output.contains("kind: RayJob"))
    #expect(run.output.contains("--model org/m --work /work/"))
  }
}
