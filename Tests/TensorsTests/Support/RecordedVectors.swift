import Tensors
import TestSupport

/// What Tests/Oracles/record_vectors.py recorded of PyTorch.
struct RecordedVectors: Decodable {
  let attentions: [Attention]
  let rotations: [Rotation]
  let normParts: [NormParts]
  let layerNorms: [LayerNorm]
  let activations: [Activation]
  let softcaps: [Softcap]

  struct Attention: Decodable {
    let positions, heads, shared, size, valueSize: Int
    let scale: Float?
    let window: Int?
    let softcap: Float?
    let sinks: PackedNumbers?
    let queries, keys, values, output, outer, gradient: PackedNumbers
  }

  struct Rotation: Decodable {
    let pairing: String
    let heads, size: Int
    let cosines, sines, inputs, output: PackedNumbers
  }

  struct NormParts: Decodable {
    let rows, columns, first, end, size: Int
    let weight: PackedNumbers?
    let epsilon: Float
    let inputs, output, outer, gradient: PackedNumbers
  }

  struct LayerNorm: Decodable {
    let rows, columns: Int
    let weight: PackedNumbers
    let bias: PackedNumbers?
    let epsilon: Float
    let inputs, output, outer, gradient: PackedNumbers
  }

  struct Activation: Decodable {
    let name: String
    let inputs, up, output, outer, gradient: PackedNumbers
    let gated, gatedOuter, gateGradient, upGradient: PackedNumbers
  }

  struct Softcap: Decodable {
    let cap: Float
    let inputs, output, outer, gradient: PackedNumbers
  }

  static func read() throws -> RecordedVectors {
    try Repository.fixture("vectors.json", of: "TensorsTests", as: RecordedVectors.self)
  }
}
