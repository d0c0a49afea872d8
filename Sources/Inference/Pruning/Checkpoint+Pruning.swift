import Checkpoints
import Compression
import Tensors

extension ModelDescription {
  /// The sizes that structured pruning changes.
  public var prunableSizes: PrunableSizes {
    PrunableSizes(
      blocks: blockCount, neurons: intermediateSize, keyValueHeads: keyValueHeadCount)
  }

  /// The pruned model of the layers and norms that are left.
  fileprivate func pruned(
    by structure: ModelStructure, layers: [LayerDescription], norms: [LayerWeights]
  ) -> ModelDescription {
    let sizes = structure.sizes(of: prunableSizes)
    return ModelDescription(
      name: name, path: path, format: format, architecture: architecture, hiddenSize: hiddenSize,
      intermediateSize: sizes.neurons, blockCount: sizes.blocks,
      headCount: sizes.keyValueHeads * (headCount / keyValueHeadCount),
      keyValueHeadCount: sizes.keyValueHeads, headSize: headSize, vocabularySize: vocabularySize,
      contextLength: contextLength, ropeTheta: ropeTheta, ropeScaling: ropeScaling,
      normEpsilon: normEpsilon, tiesEmbeddings: tiesEmbeddings,
      parameterCount: layers.reduce(0) { $0 + $1.parameters }
        + norms.reduce(0) { $0 + $1.columns },
      tensorBytes: layers.reduce(0) { $0 + $1.bytes } + norms.reduce(0) { $0 + $1.byteCount },
      fingerprint: fingerprint(after: structure.yamlLines.joined(separator: "\n")), layers: layers,
      notes: notes)
  }
}

extension Checkpoint {
  /// The model without what a structure removes: a model like any other, whose blocks are counted anew.
  ///
  /// Layers that lose rows or columns are copied into memory in the type that they are stored in; columns of GGUF's blocks
  /// become F16. All others stay where they are.
  /// - Throws: ``InferenceError`` when the model cannot have that structure.
  public func pruned(by structure: ModelStructure) throws(InferenceError) -> Checkpoint {
    do {
      try structure.check(for: description.prunableSizes)
    } catch {
      throw .invalidStructure(error)
    }
    var places: [Int: Int] = [:]
    for (place, block) in structure.keptBlocks(of: description.prunableSizes).enumerated() {
      places[block] = place
    }
    var (layers, norms): ([LayerDescription], [String: LayerWeights]) = ([], [:])
    var matrices: [String: LayerWeights] = [:]
    do throws(CheckpointError) {
      for layer in description.layers {
        let place = layer.block.flatMap { places[$0] }
        if layer.block != nil && place == nil { continue }
        let stored = try matrix(of: layer.name)
        let kept = kept(of: layer, by: structure)
        let isWhole = kept.rows == nil && kept.columns == nil
        let matrix =
          isWhole ? stored : stored.selecting(rows: kept.rows, columns: kept.columns)
        let name = DecoderBlock.name(ofLayer: layer, inBlock: place)
        matrices[name] = matrix
        layers.append(
          LayerDescription(
            name: name, role: layer.role, block: place, rows: matrix.rows,
            columns: matrix.columns, type: matrix.type,
            scheme: isWhole || matrix.holdsCodes ? layer.scheme : nil,
            bytes: isWhole ? layer.bytes : matrix.byteCount))
      }
      norms[Decoder.finalNormName] = try matrix(of: Decoder.finalNormName)
      for (block, place) in places {
        for part in DecoderBlock.normNames {
          norms[DecoderBlock.name(part, block: place)] = try matrix(
            of: DecoderBlock.name(part, block: block))
        }
      }
    } catch {
      throw .checkpoint(error)
    }
    return remade(
      as: description.pruned(by: structure, layers: layers, norms: Array(norms.values)),
      of: matrices.merging(norms) { first, _ in first })
  }

  /// The rows and columns that a layer keeps; nil keeps all.
  private func kept(
    of layer: LayerDescription, by structure: ModelStructure
  ) -> (rows: [Int]?, columns: [Int]?) {
    guard let block = layer.block else { return (nil, nil) }
    let sizes = description.prunableSizes
    let neurons = structure.keptNeurons(ofBlock: block, of: sizes)
    let heads = structure.keptKeyValueHeads(ofBlock: block, of: sizes)
    /// Channels of the heads, `count` of which share each key and value head.
    func channels(_ count: Int) -> [Int]? {
      let width = count * description.headSize
      return heads?.flatMap { $0 * width..<($0 + 1) * width }
    }
    let shared = description.headCount / description.keyValueHeadCount
    return switch layer.role {
    case .query: (channels(shared), nil)
    case .key, .value: (channels(1), nil)
    case .attentionOutput: (nil, channels(shared))
    case .gate, .up: (neurons, nil)
    case .down: (nil, neurons)
    case .embedTokens, .head: (nil, nil)
    }
  }
}
