import Checkpoints
import JSON

/// The files of a Hugging Face directory: settings, weights, and what the checkpoint has beside them.
enum HuggingFaceLayout {
  /// Spaces a level in the settings' JSON.
  static let indent = 2

  /// Lays out a directory.
  ///
  /// - Parameters:
  ///   - checkpoint: the model, already without what its plan removes.
  ///   - tensors: of all layers and norms; those of an element stay in one file.
  ///   - quantization: what config.json says of it; nil for none.
  ///   - shardBytes: most bytes of tensors in one file.
  /// - Returns: config.json and the weights; what else there is as copies, or made of GGUF's metadata.
  /// - Throws: ``ExportError`` when the checkpoint's settings or tokenizer cannot be read.
  static func layout(
    of checkpoint: Checkpoint, tensors: [[SafetensorsLayout.Tensor]], quantization: JSONValue?,
    shardBytes: Int
  ) throws(ExportError) -> ExportLayout {
    let weights = SafetensorsShards.files(of: tensors, shardBytes: shardBytes)
    do throws(CheckpointError) {
      if case .directory(let directory) = checkpoint.source {
        let config = try directory.json(HuggingFaceDirectory.config)?.root ?? .empty
        let updated = config.describing(checkpoint.description, quantization: quantization)
        return ExportLayout(
          files: [file("config.json", updated)] + weights, copies: copies(of: directory))
      }
      // An architecture without words for it is said before what is wrong with its tokenizer.
      _ = try JSONObject.facts(of: checkpoint.description)
      let tokenizer = try checkpoint.tokenizerDefinition()
      let special = SpecialTokens(of: checkpoint, tokenizer)
      let config = try JSONObject.config(
        of: checkpoint.description, special, quantization: quantization)
      return ExportLayout(
        files: [
          file("config.json", config), file("generation_config.json", special.generationConfig),
          file("tokenizer.json", .huggingFaceTokenizer(tokenizer)),
          file(
            "tokenizer_config.json",
            special.tokenizerConfig(
              tokenizer, contextLength: checkpoint.description.contextLength)),
        ] + weights)
    } catch {
      throw ExportError(error)
    }
  }

  private static func file(_ name: String, _ contents: JSONObject) -> FileLayout {
    let text = JSONWriter.bytes(of: .object(contents), indent: indent)
    return FileLayout(name: name, contents: text + [UInt8(ascii: "\n")])
  }

  /// All files of the source but its settings, how it was quantized, its weights in whatever format, and hidden ones.
  private static func copies(of directory: HuggingFaceDirectory) -> [FileCopy] {
    directory.files.filter { file in
      !settings.contains(file.name) && !file.name.hasPrefix(".")
        && !weightSuffixes.contains { file.name.hasSuffix($0) }
    }.map { FileCopy(name: $0.name, source: directory.filePath($0.name), byteCount: $0.byteCount) }
  }

  /// Among them where AutoGPTQ and AutoAWQ described their codes.
  private static let settings = [
    HuggingFaceDirectory.config, "quantize_config.json", "quant_config.json",
  ]
  private static let weightSuffixes = [
    ".safetensors", ".index.json", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".onnx",
    ".gguf", ".tmp",
  ]
}

extension JSONObject {
  /// Bytes that `quantization_config` adds to a config.json; none for nil.
  static func bytesAdded(by quantization: JSONValue?) -> Int {
    func bytes(_ quantization: JSONValue?) -> Int {
      var config = JSONObject(members: [])
      config["model_type"] = .null
      config["quantization_config"] = quantization
      return JSONWriter.bytes(of: .object(config), indent: HuggingFaceLayout.indent).count
    }
    return bytes(quantization) - bytes(nil)
  }
}
