import Allocation
import Checkpoints
import Compression
import Export
import Tensors
import Procedures

/// What makes the current plan's model elsewhere.
extension Workspace {
  /// A recipe's files: for llama-quantize where llama.cpp is the target, else for llm-compressor.
  ///
  /// - Throws: ``ExportError`` for layers that a recipe cannot make, and for plans with a structure.
  func recipeLayout(for target: ExportTarget) throws(ExportError) -> ExportLayout {
    try checkRecipe(for: target)
    guard target.format == .compressedTensors else {
      return RecipeFiles.layout(
        tensorTypes: LlamaQuantize.tensorTypes(of: description, schemes: exportedSchemes),
        imatrix: calibration.flatMap {
          $0.moments == nil ? nil : $0.importanceMatrix(of: description).bytes
        }, plan: namedPlan.yaml(),
        measurement: planMeasurement)
    }
    return try clusterRecipe(for: target).layout
  }

  /// A recipe's files for llm-compressor, and whether what it does needs a text.
  ///
  /// - Throws: As ``recipeLayout(for:)``.
  func clusterRecipe(
    for target: ExportTarget
  ) throws(ExportError) -> (layout: ExportLayout, needsText: Bool) {
    try checkRecipe(for: target)
    let recipe = CompressorRecipe(
      layers: zip(shapes, exportedSchemes).map { ($0.name, $1) }, mappings: recipeMappings,
      target: target)
    let layout = RecipeFiles.layout(
      of: recipe, plan: namedPlan.yaml(), measurement: planMeasurement)
    return (layout, recipe.needsText)
  }

  private func checkRecipe(for target: ExportTarget) throws(ExportError) {
    guard structure == nil else {
      throw .unsupported(
        reason: "recipes remove no blocks, neurons or heads",
        hint: "export compressed-tensors or gguf, or a plan without `structure`")
    }
    let refusals = CompressorLimits.refusals(of: exportedSchemes, for: shapes, target: target)
    guard refusals.isEmpty else { throw .refused(target, refusals) }
  }

  private var recipeMappings: [CompressorRecipe.Mapping] {
    (0..<description.blockCount).flatMap { block in
      ScaleMapping.mappings(ofBlock: block, schemes: exportedSchemes, of: description)
    }.compactMap { mapping in
      (mapping.norm ?? mapping.source.map { shapes[$0].name }).map { source in
        CompressorRecipe.Mapping(source: source, readers: mapping.readers.map { shapes[$0].name })
      }
    }
  }

  private var planMeasurement: PlanMeasurement {
    let costs = Dictionary(
      (sensitivity?.layers ?? []).map { ($0.layer, $0.trials) },
      uniquingKeysWith: { first, _ in first })
    let layers = zip(shapes, exportedSchemes).enumerated().map { number, layer in
      let (shape, scheme) = layer
      let size = LayerSize.predicted(
        for: shape, scheme: scheme, original: originalBytes(of: number))
      return PlanMeasurement.Layer(
        name: shape.name, rows: shape.rows, columns: shape.columns, scheme: scheme.summary,
        bytes: size.total,
        trials: (costs[shape.name] ?? []).map {
          .init(scheme: $0.scheme.summary, bytes: $0.bytes, kld: $0.divergence)
        })
    }
    return PlanMeasurement(
      model: wholeDescription.name, fingerprint: wholeDescription.fingerprint, layers: layers)
  }
}
