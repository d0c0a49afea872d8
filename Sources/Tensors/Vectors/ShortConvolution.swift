import CKernels

/// A causal convolution of each channel by itself over a few positions.
///
/// Source: Gu and Dao, Mamba (2023), which has it before its recurrence.
public struct ShortConvolution: Sendable {
  public let channels: Int
  /// Positions that an output sees, its own counted.
  public let taps: Int
  /// Taps x channels, the earliest position first.
  private let weights: [Float]

  /// - Parameters:
  ///   - weights: Channels x taps, the earliest position first, as checkpoints have them.
  ///   - channels: At least one, that divides the weights.
  public init(weights: [Float], channels: Int) {
    precondition(channels > 0 && weights.count % channels == 0 && !weights.isEmpty)
    self.channels = channels
    taps = weights.count / channels
    self.weights = weights.transposed(columns: taps)
  }

  /// What precedes the first position: zeros.
  public var emptyWindow: [Float] { Array(repeating: 0, count: (taps - 1) * channels) }

  /// The output at consecutive positions.
  ///
  /// - Parameters:
  ///   - inputs: One row a position, whose first columns are the channels.
  ///   - window: The rows before the first, (taps - 1) x channels; afterwards those before the next.
  /// - Returns: Positions x channels.
  /// - Precondition: there are as many columns and rows.
  public func outputs(of inputs: Matrix, after window: inout [Float]) -> Matrix {
    precondition(inputs.columns >= channels && window.count == (taps - 1) * channels)
    let count = inputs.rows * channels
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      inputs.values.withUnsafeBufferPointer { x in
        window.withUnsafeMutableBufferPointer { window in
          // A convolution of one tap has no window, and reads none.
          var none: Float = 0
          withUnsafeMutablePointer(to: &none) { none in
            vk_convolve(
              Kernels.level, x.baseAddress, inputs.columns, inputs.rows, channels, taps, weights,
              window.baseAddress ?? none, buffer.baseAddress)
          }
        }
      }
      initialized = count
    }
    return Matrix(rows: inputs.rows, columns: channels, values: values)
  }

  /// The gradient at the inputs of a whole sequence, given that at its outputs.
  public func gradient(outputs: Matrix) -> Matrix {
    precondition(outputs.columns == channels)
    let count = outputs.rows * channels
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      vk_convolve_gradient(
        Kernels.level, outputs.values, outputs.rows, channels, taps, weights, buffer.baseAddress,
        channels)
      initialized = count
    }
    return Matrix(rows: outputs.rows, columns: channels, values: values)
  }
}
