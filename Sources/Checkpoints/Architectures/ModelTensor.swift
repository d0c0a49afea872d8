import Glibc
import Tensors

/// A tensor that a model of a known architecture has, under the names that both formats give it.
package struct ModelTensor: Hashable, Sendable {
  /// What a tensor is to its part.
  package enum Kind: Hashable, Sendable {
    /// A matrix, or a norm's weights.
    case weight
    case bias
    /// A vector whose name has no suffix.
    case values
  }

  package let part: Part
  package let block: Int?
  package let kind: Kind
  /// Hugging Face name: without `.weight`, but with any other suffix.
  package let name: String
  /// llama.cpp's name, with its suffix.
  package let ggufName: String
  /// Rows and columns of a matrix, or the one size of a norm or a bias.
  ///
  /// Experts are one matrix: the rows of all of them, one expert after the other.
  package let shape: [Int]
  /// Matrices of which the rows are made: the experts; 1 for all others.
  package let count: Int
  /// Matrices that a GGUF file has it in: ``count``, or one for each head.
  package let ggufCount: Int
  /// How a Hugging Face checkpoint holds it where it is one tensor of experts.
  package let layout: StackLayout
  /// The order of its rows in GGUF.
  package let ggufOrder: RowOrder
  /// What has to be added to the values of a norm as Hugging Face checkpoints hold it.
  package let offset: Float
  /// The order of heads in its columns, where it reads them otherwise than Hugging Face checkpoints have them: tiled, as in GGUF.
  package let columnTiling: HeadTiling?

  /// The role of the layer; nil for tensors that are no layer.
  package var role: Role? { kind == .weight ? part.role : nil }

  /// The layer into which vLLM fuses this one: q, k and v are one to it, gate and up, and all experts of a block.
  package var fusion: String? {
    let fused: String? =
      switch part {
      case .query, .key, .value: "qkv_proj"
      case .gate, .up, .sharedGate, .sharedUp: "gate_up_proj"
      case .queryDown, .latent: "fused_qkv_a_proj"
      case .expertGate, .expertUp, .expertGateUp, .expertDown: "experts"
      case .deltaInputs, .deltaGate: "in_proj_qkvz"
      default: nil
      }
    guard let fused, let dot = name.lastIndex(of: ".") else { return nil }
    return "\(name[..<dot]).\(fused)"
  }

  /// The name of this tensor in a file of `format`; of experts in one tensor.
  package func storedName(in format: CheckpointFormat) -> String {
    switch format {
    case .gguf: ggufName
    case .huggingFace: kind == .weight ? name + part.suffix.huggingFace : name
    }
  }

  /// Its shape in a file of `format`.
  package func storedShape(in format: CheckpointFormat) -> [Int] {
    switch format {
    case .gguf:
      [.mambaDecay, .mambaSkip].contains(part)
        ? shape + [1] : shape.count == 2 && shape[0] == 1 ? [shape[1]] : shape
    case .huggingFace:
      [.deltaConvolution, .shortConvolution].contains(part) && kind == .weight
        ? [shape[0], 1, shape[1]] : shape
    }
  }
}

extension Architecture {
  /// Every tensor of a model, in the order in which data meets them: first the embedding, last norm and head.
  package func tensors(of blueprint: Blueprint) -> [ModelTensor] {
    let hidden = blueprint.hiddenSize
    var tensors = [
      tensor(.embedding, shape: [blueprint.vocabularySize, hidden], blueprint)
    ]
    if let perLayer = blueprint.perLayer {
      let width = blueprint.blocks.count * perLayer.size
      tensors += [
        tensor(.perLayerEmbedding, shape: [perLayer.vocabularySize, width], blueprint),
        tensor(.perLayerModelProjection, shape: [width, hidden], blueprint),
      ]
      tensors += norm(.perLayerModelNorm, size: perLayer.size, block: nil, blueprint)
    }
    for block in blueprint.blocks.indices { tensors += blockTensors(block, of: blueprint) }
    tensors += norm(.finalNorm, size: hidden, block: nil, blueprint)
    if !blueprint.tiesEmbeddings {
      tensors.append(tensor(.head, shape: [blueprint.vocabularySize, hidden], blueprint))
    }
    return tensors
  }

  private func blockTensors(_ block: Int, of blueprint: Blueprint) -> [ModelTensor] {
    let facts = blueprint.blocks[block]
    let hidden = blueprint.hiddenSize
    var tensors: [ModelTensor] = []
    func add(_ part: Part, _ shape: [Int], count: Int = 1, ggufCount: Int? = nil) {
      tensors.append(
        tensor(part, shape: shape, count: count, ggufCount: ggufCount, block: block, blueprint))
      if facts.hasBias(part) {
        tensors.append(
          tensor(part, .bias, shape: [shape[0]], count: count, block: block, blueprint))
      }
    }
    func addVector(_ part: Part, _ size: Int) {
      tensors.append(tensor(part, shape: [size], block: block, blueprint))
    }
    func addValues(_ part: Part, _ size: Int) {
      tensors.append(tensor(part, .values, shape: [size], block: block, blueprint))
    }
    func addNorm(_ part: Part, _ size: Int) {
      tensors += norm(part, size: size, block: block, blueprint)
    }

    if facts.norms != .after { addNorm(.attentionNorm, hidden) }
    switch facts.mixer {
    case .attention(let attention):
      let (queries, keys) = (attention.queryWidth, attention.keyWidth)
      let hasKeys = attention.cacheBlock == nil
      if let latent = attention.latent {
        addLatent(
          latent, of: attention, hidden: hidden, add: { add($0, $1, ggufCount: $2) }, addNorm)
      } else if attention.isFused {
        add(.fusedAttention, [queries + 2 * keys, hidden])
      } else {
        add(.query, [attention.isGated ? 2 * queries : queries, hidden])
        if hasKeys { add(.key, [keys, hidden]) }
        if hasKeys, !attention.keysAreValues { add(.value, [keys, hidden]) }
      }
      switch attention.queryKeyNorm {
      case .none: break
      case .perHead:
        addNorm(.queryNorm, attention.headSize)
        if hasKeys { addNorm(.keyNorm, attention.headSize) }
      case .wholeWidth:
        addNorm(.queryNorm, queries)
        addNorm(.keyNorm, keys)
      }
      if attention.hasSinks { addVector(.sinks, attention.headCount) }
      add(.attentionOutput, [hidden, attention.outputWidth])
    case .delta(let delta):
      for (part, rows) in delta.inputs { add(part, [rows, hidden]) }
      add(.deltaConvolution, [delta.mixedWidth, delta.taps])
      addValues(.deltaStep, delta.valueHeadCount)
      addValues(.deltaDecay, delta.valueHeadCount)
      tensors.append(tensor(.deltaNorm, shape: [delta.valueSize], block: block, blueprint))
      add(.deltaOutput, [hidden, delta.valueWidth])
    case .convolution(let convolution):
      add(.convolutionInputs, [3 * convolution.channels, hidden])
      add(.shortConvolution, [convolution.channels, convolution.taps])
      add(.convolutionOutput, [hidden, convolution.channels])
    case .mamba(let mamba):
      add(.mambaInputs, [mamba.steps.upperBound, hidden])
      add(.deltaConvolution, [mamba.mixedWidth, mamba.taps])
      addValues(.deltaStep, mamba.headCount)
      addValues(.mambaDecay, mamba.headCount)
      addValues(.mambaSkip, mamba.headCount)
      tensors.append(tensor(.mambaNorm, shape: [mamba.width], block: block, blueprint))
      add(.deltaOutput, [hidden, mamba.width])
    }
    if facts.norms != .before { addNorm(.attentionPostNorm, hidden) }

    if facts.norms != .after { addNorm(.feedForwardNorm, hidden) }
    func add(_ dense: DenseFacts) {
      let inner = dense.innerSize
      if dense.isFused {
        add(.fusedGateUp, [2 * inner, hidden])
      } else {
        if dense.isGated { add(.gate, [inner, hidden]) }
        add(.up, [inner, hidden])
      }
      add(.down, [hidden, inner])
    }
    switch facts.feedForward {
    case .dense(let dense): add(dense)
    case .experts(let experts):
      let (count, inner) = (experts.count, experts.innerSize)
      if let dense = experts.beside {
        add(dense)
        addNorm(.densePostNorm, hidden)
        addValues(.routerScale, hidden)
        addValues(.expertScale, count)
        addNorm(.expertNorm, hidden)
      }
      add(.router, [count, hidden])
      if experts.hasChoiceBias { addVector(.choiceBias, count) }
      if experts.isFused {
        add(.expertGateUp, [count * 2 * inner, hidden], count: count)
      } else {
        add(.expertGate, [count * inner, hidden], count: count)
        add(.expertUp, [count * inner, hidden], count: count)
      }
      add(.expertDown, [count * hidden, inner], count: count)
      if let shared = experts.sharedInnerSize {
        if experts.fusesShared {
          add(.sharedGateUp, [2 * shared, hidden])
        } else {
          add(.sharedGate, [shared, hidden])
          add(.sharedUp, [shared, hidden])
        }
        add(.sharedDown, [hidden, shared])
      }
      if experts.weighsShared { add(.sharedRouter, [1, hidden]) }
      if experts.beside != nil { addNorm(.expertPostNorm, hidden) }
    }
    if facts.norms != .before { addNorm(.feedForwardPostNorm, hidden) }
    if let perLayer = blueprint.perLayer {
      add(.perLayerGate, [perLayer.size, hidden])
      add(.perLayerProjection, [hidden, perLayer.size])
      addNorm(.perLayerNorm, hidden)
    }
    if facts.hasOutputScale { addValues(.outputScale, 1) }
    return tensors
  }

  private func addLatent(
    _ latent: LatentFacts, of attention: AttentionFacts, hidden: Int,
    add: (Part, [Int], Int?) -> Void, _ addNorm: (Part, Int) -> Void
  ) {
    let (heads, rank) = (attention.headCount, latent.rank)
    let own = latent.ownSize(ofHead: attention.headSize)
    if let queryRank = latent.queryRank {
      add(.queryDown, [queryRank, hidden], nil)
      addNorm(.queryDownNorm, queryRank)
      add(.queryUp, [attention.queryWidth, queryRank], nil)
    } else {
      add(.query, [attention.queryWidth, hidden], nil)
    }
    add(.latent, [rank + latent.turnedSize, hidden], nil)
    addNorm(.latentNorm, rank)
    if latent.isSplit {
      add(.latentKey, [heads * rank, own], heads)
      add(.latentValue, [heads * latent.valueSize, rank], heads)
    } else {
      add(.latentUp, [heads * (own + latent.valueSize), rank], nil)
    }
  }

  /// What a Hugging Face checkpoint calls a part, without `.weight`.
  func name(of part: Part, block: Int?, in blueprint: Blueprint) -> String {
    if part == .head { return blueprint.headName }
    return blueprint.prefix + (block.map { "layers.\($0)." } ?? "") + name(of: part)
  }

  private func norm(
    _ part: Part, size: Int, block: Int?, _ blueprint: Blueprint
  ) -> [ModelTensor] {
    let isOfHeads = [.queryNorm, .keyNorm, .queryDownNorm, .latentNorm].contains(part)
    let kinds: [ModelTensor.Kind] =
      blueprint.norm == .layer && !isOfHeads ? [.weight, .bias] : [.weight]
    return kinds.map { tensor(part, $0, shape: [size], block: block, blueprint) }
  }

  private func tensor(
    _ part: Part, _ kind: ModelTensor.Kind = .weight, shape: [Int], count: Int = 1,
    ggufCount: Int? = nil, block: Int? = nil, _ blueprint: Blueprint
  ) -> ModelTensor {
    let name = name(of: part, block: block, in: blueprint)
    let facts = block.map { blueprint.blocks[$0] }
    // Stacks that are one tensor are parameters of their module, and so are their biases.
    let biasName = name + (count > 1 ? "_bias" : ".bias")
    let suffix = [ModelTensor.Kind.weight: part.suffix.gguf, .bias: ".bias"][kind] ?? ""
    let hasOffset =
      part.isNorm && ![.deltaNorm, .mambaNorm].contains(part) && kind == .weight
    return ModelTensor(
      part: part, block: block, kind: kind, name: kind == .bias ? biasName : name,
      ggufName: (block.map { "blk.\($0)." } ?? "") + ggufName(of: part) + suffix,
      shape: shape, count: count, ggufCount: ggufCount ?? count,
      layout: count > 1 ? experts?.layout.layout(of: part, kind) ?? .plain : .plain,
      ggufOrder: ggufOrder(of: part, facts),
      offset: hasOffset ? normOffset : 0,
      columnTiling: part == .deltaOutput
        ? facts?.delta.flatMap { $0.tilesOutput ? $0.tiling : nil } : nil)
  }

  /// llama.cpp's converter orders rows of q and k so that the pairs of its RoPE are neighbours.
  private func ggufOrder(of part: Part, _ facts: BlockFacts?) -> RowOrder {
    if let delta { return delta.tilesHeads ? facts?.delta?.ggufOrder(of: part) ?? .plain : .plain }
    guard reordersRows, let attention = facts?.attention else { return .plain }
    return switch part {
    case .query: .interleavedHalves(heads: attention.headCount)
    case .key: .interleavedHalves(heads: attention.keyValueHeadCount)
    default: .plain
    }
  }
}

extension ModelTensor {
  /// Whether it is a norm, or a norm's bias.
  package var isNorm: Bool { part.isNorm }
  /// Whether it is a norm or a bias: one row of values.
  package var isVector: Bool { shape.count == 1 }

  /// The values that are computed with, of those that a Hugging Face checkpoint holds.
  package func computed(_ values: [Float]) -> [Float] {
    if [.deltaDecay, .mambaDecay].contains(part) { return values.map { -exp($0) } }
    return offset == 0 ? values : values.map { $0 + offset }
  }

  /// The values that a Hugging Face checkpoint holds, of those that are computed with.
  package func stored(_ values: [Float]) -> [Float] {
    if [.deltaDecay, .mambaDecay].contains(part) { return values.map { log(-$0) } }
    return offset == 0 ? values : values.map { $0 - offset }
  }
}
