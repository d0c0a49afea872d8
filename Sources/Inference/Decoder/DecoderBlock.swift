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
  func outputs(of inputs: Matrix, on pool: WorkerPool) -> Matrix {
    var outputs = pool.products(of: inputs, with: weights)
    if let bias { outputs.addToRows(bias) }
    return outputs
  }
}

/// The matrices of a block's experts, and what chooses among them.
struct ExpertLayers: Sendable {
  let facts: ExpertFacts
  var router: LayerWeights
  /// Gates and ups, or both in one stack.
  var inputs: Projection
  var output: Projection
  /// The expert that every token runs through.
  var shared: (inputs: Projection, output: Projection)?
  var sharedRouter: LayerWeights?
}

/// One decoder block's weights: a slot for each layer, its norms and biases.
struct DecoderBlock: Sendable {
  enum FeedForward: Sendable {
    case dense(DenseFacts, inputs: Projection, output: Projection)
    case experts(ExpertLayers)
  }

  let facts: BlockFacts
  let attention: Attention
  /// By part; only such as stand in this block.
  var norms: [Part: Norm]
  var attentionInputs: Projection
  var attentionOutput: Projection
  var feedForward: FeedForward

  /// Whatever holds the layer of a part, to be read and to be replaced; nil for parts that are none of this block.
  subscript(part: Part) -> LayerWeights? {
    get {
      for path in Self.projections {
        if let place = self[keyPath: path]?.parts.firstIndex(of: part) {
          return self[keyPath: path]?.weights[place]
        }
      }
      return nil
    }
    set {
      guard let newValue else { return }
      for path in Self.projections {
        if let place = self[keyPath: path]?.parts.firstIndex(of: part) {
          self[keyPath: path]?.weights[place] = newValue
        }
      }
    }
  }

  private static let projections: [any WritableKeyPath<DecoderBlock, Projection?> & Sendable] = [
    \.attentionInputSlot, \.attentionOutputSlot, \.feedForwardInputs, \.feedForwardOutput,
    \.sharedInputs, \.sharedOutput,
  ]
}

/// The projections of a block, whatever its halves are made of.
extension DecoderBlock {
  private var attentionInputSlot: Projection? {
    get { attentionInputs }
    set { attentionInputs = newValue ?? attentionInputs }
  }

  private var attentionOutputSlot: Projection? {
    get { attentionOutput }
    set { attentionOutput = newValue ?? attentionOutput }
  }

  private var feedForwardInputs: Projection? {
    get {
      switch feedForward {
      case .dense(_, let inputs, _): inputs
      case .experts(let experts): experts.inputs
      }
    }
    set {
      guard let newValue else { return }
      switch feedForward {
      case .dense(let facts, _, let output):
        feedForward = .dense(facts, inputs: newValue, output: output)
      case .experts(var experts):
        experts.inputs = newValue
        feedForward = .experts(experts)
      }
    }
  }

  private var feedForwardOutput: Projection? {
    get {
      switch feedForward {
      case .dense(_, _, let output): output
      case .experts(let experts): experts.output
      }
    }
    set {
      guard let newValue else { return }
      switch feedForward {
      case .dense(let facts, let inputs, _):
        feedForward = .dense(facts, inputs: inputs, output: newValue)
      case .experts(var experts):
        experts.output = newValue
        feedForward = .experts(experts)
      }
    }
  }

  private var sharedInputs: Projection? {
    get { experts?.shared?.inputs }
    set {
      guard let newValue, var experts else { return }
      experts.shared?.inputs = newValue
      feedForward = .experts(experts)
    }
  }

  private var sharedOutput: Projection? {
    get { experts?.shared?.output }
    set {
      guard let newValue, var experts else { return }
      experts.shared?.output = newValue
      feedForward = .experts(experts)
    }
  }

  /// nil for a block without.
  var experts: ExpertLayers? {
    if case .experts(let experts) = feedForward { experts } else { nil }
  }
}
