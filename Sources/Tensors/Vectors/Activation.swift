import CKernels

/// The function between the two layers of an MLP.
public enum Activation: Hashable, Sendable, CaseIterable {
  /// x / (1 + exp(-x)). Source: Elfwing et al., Sigmoid-Weighted Linear Units (2017).
  case silu
  /// x Phi(x) of the normal distribution by its approximation with tanh. Source: Hendrycks and Gimpel, Gaussian Error
  /// Linear Units (2016).
  case geluTanh
  /// x Phi(x) itself.
  case gelu
  /// max(x, 0).
  case relu
  /// max(x, 0)^2. Source: So et al., Primer: Searching for Efficient Transformers (2021).
  case reluSquared
  /// z / (1 + exp(-1.702 z)) of z = min(x, 7); values that it gates are bounded to [-7, 7] and grow by 1.
  /// Source: OpenAI, gpt-oss model card (2025).
  case clampedSwiGLU
  /// 1 / (1 + exp(-x)), which gates what attention gives in Qwen 3.5.
  case sigmoid

  var kernel: vk_activation {
    switch self {
    case .silu: VK_SILU
    case .geluTanh: VK_GELU_TANH
    case .gelu: VK_GELU
    case .relu: VK_RELU
    case .reluSquared: VK_RELU_SQUARED
    case .clampedSwiGLU: VK_CLAMPED_SWIGLU
    case .sigmoid: VK_SIGMOID
    }
  }
}

extension Matrix {
  /// Each row, of which the first half is the gate g and the second u, as activation(g) * u, or as the activation has it.
  ///
  /// Source: Shazeer, GLU Variants Improve Transformer (2020).
  /// - Precondition: the columns are even in number.
  public func gated(_ activation: Activation) -> Matrix {
    precondition(columns % 2 == 0, "a gate for each value")
    let half = columns / 2
    return mapRows(to: half) { source, destination in
      vk_gate(Kernels.level, activation.kernel, source, source + half, half, destination)
    }
  }

  /// The activation of every value.
  public func activated(_ activation: Activation) -> Matrix {
    mapRows(to: columns) { source, destination in
      vk_activate(Kernels.level, activation.kernel, source, columns, destination)
    }
  }
}
