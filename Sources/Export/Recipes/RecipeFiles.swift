/// The files of a recipe: what carries a plan out elsewhere, and how that is done.
public struct RecipeFiles {
  private let plan: String
  private let measurement: PlanMeasurement
  private var files: [FileLayout] = []

  /// What every recipe holds.
  private init(plan: String, measurement: PlanMeasurement) {
    self.plan = plan
    self.measurement = measurement
  }

  /// For llm-compressor.
  ///
  /// - Returns: `recipe.yaml`, the programs that carry it out, `plan.yaml`, `measurement.json` and `README.md`.
  public static func layout(
    of recipe: CompressorRecipe, plan: String, measurement: PlanMeasurement
  ) -> ExportLayout {
    var files = RecipeFiles(plan: plan, measurement: measurement)
    files.add("recipe.yaml", recipe.yaml)
    files.files += JobPrograms.recipe + JobPrograms.common
    return files.layout(readme: compressorReadme(needsText: recipe.needsText))
  }

  /// For llama-quantize.
  ///
  /// - Returns: `tensor-types.txt`, `imatrix.gguf` if there is one, `plan.yaml`, `measurement.json` and `README.md`.
  public static func layout(
    tensorTypes: String, imatrix: [UInt8]?, plan: String, measurement: PlanMeasurement
  ) -> ExportLayout {
    var files = RecipeFiles(plan: plan, measurement: measurement)
    files.add(LlamaQuantize.tensorTypesFile, tensorTypes)
    if let imatrix { files.files.append(FileLayout(name: "imatrix.gguf", contents: imatrix)) }
    return files.layout(readme: quantizeReadme(hasImatrix: imatrix != nil))
  }

  /// For a program that measures sensitivity elsewhere.
  ///
  /// - Returns: `layers.json` and the programs.
  public static func sensitivity(_ list: LayerList) -> ExportLayout {
    ExportLayout(
      files: [FileLayout(name: "layers.json", contents: Array(list.json.utf8))]
        + JobPrograms.sensitivity + JobPrograms.common)
  }

  private mutating func add(_ name: String, _ text: String) {
    files.append(FileLayout(name: name, contents: Array(text.utf8)))
  }

  private func layout(readme: String) -> ExportLayout {
    var all = self
    all.add("plan.yaml", plan)
    all.files.append(FileLayout(name: "measurement.json", contents: measurement.json))
    all.add("README.md", readme)
    return ExportLayout(files: all.files)
  }
}

extension RecipeFiles {
  private static func compressorReadme(needsText: Bool) -> String {
    let text = needsText ? " --text calibration.txt" : ""
    return """
      # A plan, to be carried out by llm-compressor

      `recipe.yaml` says what becomes of each layer, `plan.yaml` is the same for Vise, and `measurement.json` is what the
      plan was chosen by.

      ## On a machine that holds the model

      ```console
      $ pip install llmcompressor==0.14.0.1
      $ python run.py MODEL OUTPUT\(text)
      ```

      MODEL is the checkpoint's directory, or its name on the Hugging Face hub. `--windows` and `--window` say how much of
      the text is read. Layers are named one by one, so the recipe is for this model, and for others of its shape. AWQ of
      llm-compressor 0.14 needs a GPU.

      `job.py` does the same as a job of a Ray cluster and then measures the result: `vise submit` sends this folder there.

      ## Serving it, on one machine

      ```console
      $ vllm serve OUTPUT --tensor-parallel-size 4
      ```

      ## Serving it, on several nodes

      OUTPUT lies at the same path on every node, as do the versions of Python, vLLM and Ray.

      ```console
      head$  ray start --head --port=6379
      other$ ray start --address=HEAD:6379
      head$  vllm serve OUTPUT --distributed-executor-backend ray \\
               --tensor-parallel-size 8 --pipeline-parallel-size 2
      ```

      Tensor parallelism splits rows and groups: the GPUs of a node must divide the heads, and each part of a row must
      hold whole groups. Pipeline parallelism splits blocks between nodes.

      ## Was it worth it

      Vise opens OUTPUT: `vise compare MODEL OUTPUT --text evaluation.txt`.

      """
  }

  private static func quantizeReadme(hasImatrix: Bool) -> String {
    let imatrix = hasImatrix ? "--imatrix imatrix.gguf " : ""
    let note =
      hasImatrix
      ? "" : "\nCalibrate before the export, and an imatrix of that text is written beside it.\n"
    return """
      # A plan, to be carried out by llama-quantize

      `tensor-types.txt` names the type of each tensor, `plan.yaml` is the same for Vise, and `measurement.json` is what
      the plan was chosen by. Codes are llama-quantize's own: `vise export --format gguf` writes Vise's.

      ```console
      $ python convert_hf_to_gguf.py MODEL --outtype f16 --outfile model-f16.gguf
      $ llama-quantize \(imatrix)--tensor-type-file tensor-types.txt model-f16.gguf model.gguf Q8_0
      $ llama-server -m model.gguf
      ```
      \(note)
      """
  }
}
