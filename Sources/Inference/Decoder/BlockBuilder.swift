import Checkpoints
import Tensors

/// Puts a block together from weights that are found by part.
struct BlockBuilder {
  let facts: BlockFacts
  let perLayer: PerLayerFacts?
  /// The weights of a part, checked and in the form that kernels multiply with.
  let weights: (Part) throws(InferenceError) -> LayerWeights
  /// The values of a norm, or of a part's bias.
  let vector: (Part, ModelTensor.Kind) throws(InferenceError) -> [Float]
  /// The norms that the block has, and whether they have biases.
  let norms: [(part: Part, hasBias: Bool)]

  func block() throws(InferenceError) -> DecoderBlock {
    var norms: [Part: Norm] = [:]
    for (part, hasBias) in self.norms {
      norms[part] = Norm(
        weights: try vector(part, .weight), bias: hasBias ? try vector(part, .bias) : nil)
    }
    let ownEmbeddings = try perLayer.map { facts throws(InferenceError) in
      PerLayerLayers(
        facts: facts, gate: try projection([.perLayerGate]),
        output: try projection([.perLayerProjection]))
    }
    let mixer: DecoderBlock.Mixer
    let (inputs, output): ([Part], Part)
    switch facts.mixer {
    case .attention(let attention):
      (inputs, output) = (Self.inputs(of: attention), .attentionOutput)
      mixer = .attention(
        Attention(
          headCount: attention.headCount, keyValueHeadCount: attention.keyValueHeadCount,
          headSize: attention.headSize, scale: attention.scale, window: attention.window,
          softcap: attention.softcap,
          sinks: attention.hasSinks ? try vector(.sinks, .weight) : nil,
          valueSize: attention.valueSize))
    case .delta(let delta):
      (inputs, output) = (delta.inputParts, .deltaOutput)
      mixer = .delta(
        DeltaMixer(
          delta, convolution: try weights(.deltaConvolution).decoded().values,
          steps: try vector(.deltaStep, .values), decays: try vector(.deltaDecay, .values)))
    case .convolution(let convolution):
      (inputs, output) = ([.convolutionInputs], .convolutionOutput)
      mixer = .convolution(
        ConvolutionMixer(
          convolution, weights: try weights(.shortConvolution).decoded().values))
    case .mamba(let mamba):
      (inputs, output) = ([.mambaInputs], .deltaOutput)
      mixer = .mamba(
        MambaMixer(
          mamba, convolution: try weights(.deltaConvolution).decoded().values,
          bias: facts.hasBias(.deltaConvolution) ? try vector(.deltaConvolution, .bias) : nil,
          steps: try vector(.deltaStep, .values), decays: try vector(.mambaDecay, .values),
          skips: try vector(.mambaSkip, .values)))
    }
    return DecoderBlock(
      facts: facts, mixer: mixer, norms: norms, attentionInputs: try projection(inputs),
      attentionOutput: try projection([output]), latent: try latent(),
      feedForward: try feedForward(), perLayer: ownEmbeddings,
      outputScale: facts.hasOutputScale ? try vector(.outputScale, .values).first ?? 1 : 1)
  }

  private static func inputs(of attention: AttentionFacts) -> [Part] {
    guard let latent = attention.latent else {
      return attention.isFused ? [.fusedAttention] : attention.projectedParts
    }
    return [latent.queryRank == nil ? .query : .queryDown, .latent]
  }

  private func latent() throws(InferenceError) -> LatentLayers? {
    guard let latent = facts.attention?.latent else { return nil }
    return LatentLayers(
      facts: latent, queryUp: latent.queryRank == nil ? nil : try projection([.queryUp]),
      up: try projection(latent.isSplit ? [.latentKey, .latentValue] : [.latentUp]))
  }

  private func feedForward() throws(InferenceError) -> DecoderBlock.FeedForward {
    switch facts.feedForward {
    case .dense(let dense):
      let layers = try self.dense(dense)
      return .dense(dense, inputs: layers.inputs, output: layers.output)
    case .experts(let experts):
      let inputs: [Part] = experts.isFused ? [.expertGateUp] : [.expertGate, .expertUp]
      var layers = ExpertLayers(
        facts: experts, router: try weights(.router), inputs: try projection(inputs),
        output: try projection([.expertDown]))
      if experts.hasChoiceBias { layers.choiceBias = try vector(.choiceBias, .weight) }
      if facts.hasBias(.router) { layers.routerBias = try vector(.router, .bias) }
      if experts.sharedInnerSize != nil {
        layers.shared = (
          inputs: try projection(
            experts.fusesShared ? [.sharedGateUp] : [.sharedGate, .sharedUp]),
          output: try projection([.sharedDown])
        )
      }
      if experts.weighsShared { layers.sharedRouter = try weights(.sharedRouter) }
      if let dense = experts.beside {
        layers.beside = try self.dense(dense)
        // The root of the hidden size divides what the scale multiplies.
        let scale = try vector(.routerScale, .values)
        let root = Float(scale.count).squareRoot()
        layers.routerNorm = Norm(weights: scale.map { $0 / root })
        layers.scales = try vector(.expertScale, .values)
      }
      return .experts(layers)
    }
  }

  private func dense(
    _ facts: DenseFacts
  ) throws(InferenceError) -> (inputs: Projection, output: Projection) {
    let inputs: [Part] = facts.isFused ? [.fusedGateUp] : facts.isGated ? [.gate, .up] : [.up]
    return (try projection(inputs), try projection([.down]))
  }

  private func projection(_ parts: [Part]) throws(InferenceError) -> Projection {
    var stack: [LayerWeights] = []
    var bias: [Float] = []
    for part in parts {
      let matrix = try weights(part)
      stack.append(matrix)
      bias +=
        facts.hasBias(part)
        ? try vector(part, .bias) : Array(repeating: 0, count: matrix.rows)
    }
    let hasBias = parts.contains { facts.hasBias($0) }
    return Projection(parts: parts, weights: stack, bias: hasBias ? bias : nil)
  }
}

extension AttentionFacts {
  /// The layers that make queries, keys and values, where they are not one.
  var projectedParts: [Part] {
    if cacheBlock != nil { return [.query] }
    return keysAreValues ? [.query, .key] : [.query, .key, .value]
  }
}
