import Checkpoints
import Tensors

/// A norm's weights as they multiply.
struct Norm: Sendable {
  var weights: [Float]
  /// Of layer norms only.
  var bias: [Float]?
}

/// Layers that read the same input, whose outputs lie side by side.
struct Projection: Sendable {
  let parts: [Part]
  var weights: [LayerWeights]
  /// One for each output; nil where no layer has any.
  var bias: [Float]?

  /// The outputs for each row of inputs.
  func outputs(of inputs: Matrix, on pool: WorkerPool, _ arithmetic: Arithmetic) -> Matrix {
    var outputs = pool.products(of: inputs, with: weights, arithmetic)
    if let bias { outputs.addToRows(bias) }
    return outputs
  }

  /// Replaces the layer of a part, if it is one of these.
  fileprivate mutating func replace(_ part: Part, by layer: LayerWeights) {
    if let place = parts.firstIndex(of: part) { weights[place] = layer }
  }
}

/// The matrices of a block's experts, and what chooses among them.
struct ExpertLayers: Sendable {
  let facts: ExpertFacts
  var router: LayerWeights
  /// One for each expert; nil where there is none.
  var routerBias: [Float]?
  /// What experts are chosen by and not weighed by, one for each; nil for none.
  var choiceBias: [Float]?
  /// Gates and ups, or both in one stack.
  var inputs: Projection
  var output: Projection
  /// The expert that every token runs through.
  var shared: (inputs: Projection, output: Projection)?
  var sharedRouter: LayerWeights?
  /// The MLP beside the experts.
  var beside: (inputs: Projection, output: Projection)?
  /// What the router's inputs are normalised by; nil where it reads what experts read.
  var routerNorm: Norm?
  /// What each expert's weight is multiplied by; nil for none.
  var scales: [Float]?
  /// Experts that no token is sent to.
  var removed: Set<Int> = []
}

/// What gates and adds a block's own embeddings.
struct PerLayerLayers: Sendable {
  let facts: PerLayerFacts
  var gate: Projection
  var output: Projection
}

/// Latent attention's matrices from rows of few values.
struct LatentLayers: Sendable {
  let facts: LatentFacts
  /// To queries; nil where these are projected from hidden states.
  var queryUp: Projection?
  /// To keys and values, in one matrix or in two.
  var up: Projection
}

/// One decoder block's weights: a slot for each layer, its norms and biases.
struct DecoderBlock: Sendable {
  enum FeedForward: Sendable {
    case dense(DenseFacts, inputs: Projection, output: Projection)
    case experts(ExpertLayers)
  }

  enum Mixer: Sendable {
    case attention(Attention)
    case delta(DeltaMixer)
    case convolution(ConvolutionMixer)
    case mamba(MambaMixer)
  }

  let facts: BlockFacts
  let mixer: Mixer
  /// By part; only such as stand in this block.
  var norms: [Part: Norm]
  /// The first layers of attention, or of what stands in its place, and the last.
  var attentionInputs: Projection
  var attentionOutput: Projection
  /// nil where queries, keys and values are projected from hidden states.
  var latent: LatentLayers?
  var feedForward: FeedForward
  /// nil for blocks without embeddings of their own.
  var perLayer: PerLayerLayers?
  /// What the block's hidden states are multiplied by at its end.
  let outputScale: Float

  /// The layer of a part, to be read and to be replaced; nil for parts that are none of this block.
  subscript(part: Part) -> LayerWeights? {
    get {
      projections.lazy.compactMap { projection in
        projection.parts.firstIndex(of: part).map { projection.weights[$0] }
      }.first
    }
    set {
      guard let newValue else { return }
      attentionInputs.replace(part, by: newValue)
      attentionOutput.replace(part, by: newValue)
      latent?.queryUp?.replace(part, by: newValue)
      latent?.up.replace(part, by: newValue)
      perLayer?.gate.replace(part, by: newValue)
      perLayer?.output.replace(part, by: newValue)
      switch feedForward {
      case .dense(let facts, var inputs, var output):
        inputs.replace(part, by: newValue)
        output.replace(part, by: newValue)
        feedForward = .dense(facts, inputs: inputs, output: output)
      case .experts(var experts):
        experts.inputs.replace(part, by: newValue)
        experts.output.replace(part, by: newValue)
        experts.shared?.inputs.replace(part, by: newValue)
        experts.shared?.output.replace(part, by: newValue)
        experts.beside?.inputs.replace(part, by: newValue)
        experts.beside?.output.replace(part, by: newValue)
        feedForward = .experts(experts)
      }
    }
  }

  private var projections: [Projection] {
    let halves: [Projection?] =
      switch feedForward {
      case .dense(_, let inputs, let output): [inputs, output]
      case .experts(let experts):
        [
          experts.inputs, experts.output, experts.shared?.inputs, experts.shared?.output,
          experts.beside?.inputs, experts.beside?.output,
        ]
      }
    let all =
      [attentionInputs, attentionOutput, latent?.queryUp, latent?.up] + halves
      + [perLayer?.gate, perLayer?.output]
    return all.compactMap(\.self)
  }

  /// nil for a block without.
  var experts: ExpertLayers? {
    if case .experts(let experts) = feedForward { experts } else { nil }
  }
}
