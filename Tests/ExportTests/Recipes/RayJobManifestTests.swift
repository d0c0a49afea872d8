import Testing
import Yams

@testable import Export

/// What Kubernetes reads; `Tests/Interop/rayjob_schema.py` holds it against the CRD's schema.
@Suite struct RayJobManifestTests {
  private func manifest(_ files: [JobPackage.File], nodes: Int = 1, gpus: Int = 0) throws -> [Node]
  {
    let manifest = try RayJobManifest(
      of: JobPackage(files: files), command: "python job.py --model 'a b'",
      variables: ["RAY_DEDUP_LOGS": "0"],
      cluster: .init(
        image: "i:1", rayVersion: "2.60.0", claim: "c", nodes: nodes, gpusANode: gpus))
    return Array(try Yams.compose_all(yaml: manifest.yaml()))
  }

  @Test(arguments: [
    "plain\n", "  leading blanks\nand a tab\there\n", "no end", "two ends\n\n",
    "---\n# no comment\n",
    "'quotes\" and: colons\n- lists\n", "trailing blanks  \nü\n", "",
  ])
  func filesAreReadAsTheyWere(_ text: String) throws {
    let nodes = try manifest([.init(name: "a.py", text: text)])
    #expect(nodes.count == 2)
    #expect(nodes[0]["data"]?["a.py"]?.string == text)
  }

  @Test func nodesAndGPUsAreAskedFor() throws {
    let job = try #require(try manifest([], nodes: 3, gpus: 4).last)
    #expect(job["kind"]?.string == "RayJob" && job["apiVersion"]?.string == "ray.io/v1")
    let spec = try #require(job["spec"])
    #expect(spec["entrypoint"]?.string == "cd /vise && python job.py --model 'a b'")
    let workers = try #require(spec["rayClusterSpec"]?["workerGroupSpecs"]?[0])
    #expect(workers["replicas"]?.int == 2)
    let container = try #require(workers["template"]?["spec"]?["containers"]?[0])
    #expect(container["resources"]?["limits"]?["nvidia.com/gpu"]?.string == "4")
    let variables = try #require(spec["runtimeEnvYAML"]?.string)
    let environment = try #require(try Yams.compose(yaml: variables))
    #expect(environment["env_vars"]?["PYTHONPATH"]?.string == "/vise")
    #expect(environment["env_vars"]?["RAY_DEDUP_LOGS"]?.string == "0")
    #expect(try manifest([]).last?["spec"]?["rayClusterSpec"]?["workerGroupSpecs"] == nil)
  }

  @Test func aConfigMapHasItsLimit() {
    let text = String(repeating: "x", count: RayJobManifest.sizeLimit + 1)
    #expect(throws: ExportError.self) { try manifest([.init(name: "a", text: text)]) }
  }
}
