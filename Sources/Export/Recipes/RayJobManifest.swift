import Yams

/// A job as Kubernetes takes it: its files in a ConfigMap, and a RayJob of KubeRay that runs them.
///
/// Source: the CRD `rayjobs.ray.io`, version v1, of KubeRay 1.6.
public struct RayJobManifest {
  /// What Kubernetes takes of a ConfigMap's data, in bytes.
  public static let sizeLimit = 1 << 20

  /// What the cluster of the job is made of.
  public struct Cluster: Hashable, Sendable {
    /// An image with Ray, and with what the programs import.
    public var image: String
    public var rayVersion: String
    /// The PersistentVolumeClaim that outlives the job, mounted at ``workFolder``.
    public var claim: String
    /// Nodes, the head among them.
    public var nodes: Int
    public var gpusANode: Int

    public init(
      image: String, rayVersion: String, claim: String, nodes: Int = 1, gpusANode: Int = 0
    ) {
      self.image = image
      self.rayVersion = rayVersion
      self.claim = claim
      self.nodes = nodes
      self.gpusANode = gpusANode
    }
  }

  /// Where the job's files are in each container, and what it has done.
  public static let filesFolder = "/vise"
  public static let workFolder = "/work"

  private let name: String
  private let package: JobPackage
  private let command: String
  private let variables: [String: String]
  private let cluster: Cluster

  /// A manifest of a job.
  ///
  /// - Parameters:
  ///   - package: Its files.
  ///   - command: What is run in their folder.
  ///   - variables: Of the job's environment.
  ///   - cluster: What it runs on.
  /// - Throws: ``ExportError`` when a ConfigMap cannot hold the files.
  public init(
    of package: JobPackage, command: String, variables: [String: String], cluster: Cluster
  ) throws(ExportError) {
    let bytes = package.files.reduce(0) { $0 + $1.bytes + $1.name.utf8.count }
    guard bytes <= Self.sizeLimit else {
      throw .unsupported(
        reason: "the job's files take \(bytes) bytes, and a ConfigMap holds \(Self.sizeLimit)",
        hint: "submit the job to the cluster's dashboard, or measure on fewer windows")
    }
    name = "vise-\(package.digest)"
    (self.package, self.command, self.variables, self.cluster) = (
      package, command, variables, cluster
    )
  }

  /// Both objects, as `kubectl apply -f` takes them.
  public func yaml() -> String {
    // Plain values always have a YAML form.
    (try? Yams.serialize(nodes: [files, job], width: -1, explicitStart: true)) ?? ""
  }

  private var files: Node {
    [
      "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": text(name)],
      "data": mapping(package.files.map { ($0.name, literal($0.text)) }),
    ]
  }

  private var job: Node {
    let others = max(0, cluster.nodes - 1)
    var parts: [(String, Node)] = [
      ("rayVersion", text(cluster.rayVersion)),
      (
        "headGroupSpec", mapping([("rayStartParams", emptyMapping), ("template", pod("ray-head"))])
      ),
    ]
    if others > 0 {
      parts.append(
        (
          "workerGroupSpecs",
          list([
            mapping([
              ("groupName", "workers"), ("replicas", number(others)),
              ("minReplicas", number(others)),
              ("maxReplicas", number(others)), ("rayStartParams", emptyMapping),
              ("template", pod("ray-worker")),
            ])
          ])
        ))
    }
    var environment = variables
    // Tasks on every node import the programs from there.
    environment["PYTHONPATH"] = Self.filesFolder
    let lines = environment.sorted { $0.key < $1.key }.map { "  \($0.key): \"\($0.value)\"\n" }
    return [
      "apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": ["name": text(name)],
      "spec": mapping([
        ("entrypoint", text("cd \(Self.filesFolder) && \(command)")),
        ("runtimeEnvYAML", literal("env_vars:\n" + lines.joined())),
        ("shutdownAfterJobFinishes", Node("true", .init(.bool))),
        ("rayClusterSpec", mapping(parts)),
      ]),
    ]
  }

  private func pod(_ name: String) -> Node {
    var container: [(String, Node)] = [
      ("name", text(name)), ("image", text(cluster.image)),
      (
        "volumeMounts",
        list([
          ["name": "files", "mountPath": text(Self.filesFolder)],
          ["name": "work", "mountPath": text(Self.workFolder)],
        ])
      ),
    ]
    if cluster.gpusANode > 0 {
      let gpus: Node = ["nvidia.com/gpu": text(String(cluster.gpusANode))]
      container.append(("resources", mapping([("limits", gpus), ("requests", gpus)])))
    }
    let claim: Node = ["claimName": text(cluster.claim)]
    return mapping([
      (
        "spec",
        mapping([
          ("containers", list([mapping(container)])),
          (
            "volumes",
            list([
              mapping([("name", "files"), ("configMap", ["name": text(self.name)])]),
              mapping([("name", "work"), ("persistentVolumeClaim", claim)]),
            ])
          ),
        ])
      )
    ])
  }
}

extension RayJobManifest {
  private var emptyMapping: Node { .mapping(Node.Mapping([], .implicit, .flow)) }

  private func list(_ nodes: [Node]) -> Node { .sequence(Node.Sequence(nodes)) }

  private func mapping(_ pairs: [(String, Node)]) -> Node {
    .mapping(Node.Mapping(pairs.map { (Node($0.0), $0.1) }))
  }

  /// A string, whatever it looks like.
  private func text(_ text: String) -> Node { Node(text, .init(.str), .doubleQuoted) }

  private func number(_ value: Int) -> Node { Node(String(value), .init(.int)) }

  /// Lines as they are.
  private func literal(_ text: String) -> Node { Node(text, .init(.str), .literal) }
}
