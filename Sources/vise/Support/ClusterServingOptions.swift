import ArgumentParser
import Checkpoints
import Compression
import Engine
import Export
import Fitting
import Serving

/// How a job's result is served on the cluster.
struct ClusterServingOptions: ParsableArguments {
  @Flag(help: "Ends the job with `vllm serve`, which goes on until the job is stopped.")
  var serve = false

  @Option(
    help: """
      A GPU of `vise fit`: the fewest of them are taken that hold the model and its cache. Without it, all of \
      --gpus and --nodes.
      """)
  var machine: String?

  @Option(help: "Most nodes to serve on; --gpus are those of each.")
  var nodes = 1

  @OptionGroup var fit: FitOptions

  func validate() throws {
    guard nodes > 0 else { throw ValidationError("--nodes is at least 1.") }
    guard machine == nil || serve else { throw ValidationError("--machine is for --serve.") }
  }

  /// Over how many GPUs the model under a plan is spread.
  func sizes(
    of model: ModelDescription, plan: Plan, in session: EngineSession, _ target: ExportTarget,
    gpus: Double
  ) throws(CommandFailure) -> ParallelSizes {
    let byName: [String: Scheme]
    do throws(PlanError) { byName = try plan.schemes(for: model.layerShapes) } catch {
      throw CommandFailure(status: .badPlan, message: "\(error)")
    }
    let schemes = model.layers.map { byName[$0.name] ?? .keep }
    let splits = ParallelSizes.sizes(of: model, schemes: schemes, upTo: max(1, Int(gpus)))
    guard let machine else {
      return ParallelSizes(tensor: splits.last ?? 1, pipeline: nodes)
    }
    let served = ServedModel(
      model, schemes: schemes, forecast: try session.outline(for: target).forecast(of: schemes))
    let fit = Fit(
      of: served, on: try FitOptions.machine(named: machine), for: fit.request(for: model),
      in: ServingEngine(target))
    guard
      let sizes = ParallelSizes(
        holding: fit, splits: splits, nodes: nodes, blocks: model.blockCount)
    else {
      throw CommandFailure(
        status: .failed,
        message: "\(nodes) x \(splits.last ?? 1) of \(machine) do not hold the model: it needs "
          + "\(fit.memory.total.megabytes) MB; --gpus are those of a node, and --nodes how many there are"
      )
    }
    return sizes
  }
}

/// A manifest in place of a job that is sent.
struct KubernetesOptions: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case rayjob
  }

  @Option(
    help: "rayjob prints the job as KubeRay takes it, for `kubectl apply -f -`, and sends nothing.")
  var format: Format?

  @Option(help: "The image of its containers, with Ray, llm-compressor and transformers.")
  var image: String?

  @Option(help: "The Ray version of that image.")
  var rayVersion = "2.60.0"

  @Option(help: "The PersistentVolumeClaim that outlives the job.")
  var claim = "vise-work"

  var isAskedFor: Bool { format != nil }

  func validate() throws {
    guard format == nil || image != nil else {
      throw ValidationError("--format rayjob needs --image.")
    }
  }

  /// The manifest of a job.
  func manifest(
    of packed: PackedJob, in package: JobPackage, _ request: ClusterRequest, nodes: Int
  ) throws(CommandFailure) -> String {
    var request = request
    // There each job keeps what it has done in the claim.
    if request.root == ClusterRequest.standardRoot { request.root = RayJobManifest.workFolder }
    let job = request.submission(of: packed, in: package, id: package.digest)
    do throws(ExportError) {
      return try RayJobManifest(
        of: package, command: job.entrypoint, variables: job.variables,
        cluster: RayJobManifest.Cluster(
          image: image ?? "", rayVersion: rayVersion, claim: claim, nodes: nodes,
          gpusANode: Int(request.gpus.rounded(.up)))
      ).yaml()
    } catch {
      throw CommandFailure(status: .failed, message: "\(error)")
    }
  }
}
