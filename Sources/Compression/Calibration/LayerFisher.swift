import Tensors

/// How the model's KLD grows with errors in one layer: the two-sided Fisher estimate.
///
/// With x a layer's input and g the gradient of -log p(label) at its output, labels sampled from the
/// model, the Fisher matrix of the layer is approximated by a product of two diagonals that has the
/// right trace. An error D of the weights then costs KLD = sum_ij outputs_i inputs_j D_ij^2 / (2 trace).
/// The cost per weight is what SqueezeLLM and YAQA (arXiv 2505.22988) round with; the gradient weighting
/// keeps attention sinks, which carry nearly all energy and no gradient, from deciding.
public struct LayerFisher: Hashable, Sendable {
  /// Tokens that it was collected from.
  public let tokens: Int
  /// E[|g|^2 x_j^2] for each input channel.
  public let inputs: [Float]
  /// E[|x|^2 g_i^2] for each output channel.
  public let outputs: [Float]
  /// E[|x|^2 |g|^2]: the sum of `inputs`, and that of `outputs`.
  public let trace: Double
  /// Share of `trace` that comes from rows being looked up, as those of an embedding are: 0...1.
  ///
  /// A row that is looked up is not summed with others, so that errors in it cannot cancel.
  public let lookupShare: Double

  public init(
    tokens: Int, inputs: [Float], outputs: [Float], trace: Double, lookupShare: Double = 0
  ) {
    self.tokens = tokens
    self.inputs = inputs
    self.outputs = outputs
    self.trace = trace
    self.lookupShare = lookupShare
  }
}
