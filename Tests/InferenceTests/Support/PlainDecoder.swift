import Checkpoints
import Foundation
import Tensors
import TestSupport

/// The Llama forward pass by the book, in double precision, all positions at once and without a cache.
struct PlainDecoder {
  let model: ModelDescription
  private let attention: AttentionFacts
  private let blueprint: Blueprint
  var layers: [String: Matrix]
  let norms: [String: [Float]]

  init(_ tiny: TinyModel) {
    model = tiny.description
    guard let blueprint = model.blueprint, let attention = model.attention else {
      preconditionFailure("the tiny model has a blueprint")
    }
    self.blueprint = blueprint
    self.attention = attention
    layers = tiny.layers.mapValues { $0.decoded() }
    norms = tiny.norms
  }

  func logits(_ tokens: [Int]) -> [[Double]] {
    let head = model.tiesEmbeddings ? "model.embed_tokens" : "lm_head"
    return states(tokens).last?.map { product(normalized($0, "model.norm"), head) } ?? []
  }

  /// Hidden states behind the embedding and behind each block: places x tokens x hidden size.
  func states(_ tokens: [Int]) -> [[[Double]]] {
    var hidden = tokens.map { id in
      (layers["model.embed_tokens"]?.row(id) ?? []).map(Double.init)
    }
    var states = [hidden]
    for block in 0..<model.blockCount {
      let prefix = "model.layers.\(block)."
      let x = hidden.map { normalized($0, prefix + "input_layernorm") }
      let queries = heads(x, prefix + "self_attn.q_proj", rotated: true)
      let keys = heads(x, prefix + "self_attn.k_proj", rotated: true)
      let values = heads(x, prefix + "self_attn.v_proj", rotated: false)
      for position in tokens.indices {
        let shared = attention.headCount / attention.keyValueHeadCount
        let attended = (0..<attention.headCount).flatMap { head in
          attend(queries[position][head], position, keys, values, head / shared)
        }
        add(product(attended, prefix + "self_attn.o_proj"), to: &hidden[position])
        let y = normalized(hidden[position], prefix + "post_attention_layernorm")
        let gate = product(y, prefix + "mlp.gate_proj")
        let up = product(y, prefix + "mlp.up_proj")
        let inner = zip(gate, up).map { $0 / (1 + exp(-$0)) * $1 }
        add(product(inner, prefix + "mlp.down_proj"), to: &hidden[position])
      }
      states.append(hidden)
    }
    return states
  }

  private func attend(
    _ query: [Double], _ position: Int, _ keys: [[[Double]]], _ values: [[[Double]]], _ head: Int
  ) -> [Double] {
    let scores = (0...position).map { other in
      zip(query, keys[other][head]).map(*).reduce(0, +) / Double(attention.headSize).squareRoot()
    }
    let weights = scores.map { exp($0) }
    let total = weights.reduce(0, +)
    return (0..<attention.headSize).map { place in
      (0...position).map { weights[$0] * values[$0][head][place] }.reduce(0, +) / total
    }
  }

  /// Positions x heads x values.
  private func heads(_ x: [[Double]], _ layer: String, rotated: Bool) -> [[[Double]]] {
    x.enumerated().map { position, vector in
      let all = product(vector, layer)
      return stride(from: 0, to: all.count, by: attention.headSize).map { start in
        let head = Array(all[start..<start + attention.headSize])
        return rotated ? turned(head, position) : head
      }
    }
  }

  private func turned(_ head: [Double], _ position: Int) -> [Double] {
    let half = head.count / 2
    return head.indices.map { place in
      let pair = place % half
      let angle = Double(position) * frequency(pair)
      let partner = place < half ? -head[place + half] : head[place - half]
      return head[place] * cos(angle) + partner * sin(angle)
    }
  }

  private func frequency(_ pair: Int) -> Double {
    let rope = blueprint.ropes[0]
    let plain = pow(rope.theta, -2 * Double(pair) / Double(attention.headSize))
    guard case .llama3(let scaling)? = rope.scaling else { return plain }
    let turns = Double(scaling.originalLength) * plain / (2 * Double.pi)
    let (low, high) = (scaling.lowFrequencyFactor, scaling.highFrequencyFactor)
    let smooth = min(max((turns - low) / (high - low), 0), 1)
    return (1 - smooth) * plain / scaling.factor + smooth * plain
  }

  private func normalized(_ x: [Double], _ norm: String) -> [Double] {
    let mean = x.map { $0 * $0 }.reduce(0, +) / Double(x.count)
    let factor = 1 / (mean + blueprint.normEpsilon).squareRoot()
    return zip(x, norms[norm] ?? []).map { $0 * factor * Double($1) }
  }

  private func product(_ x: [Double], _ layer: String) -> [Double] {
    guard let matrix = layers[layer] else { return [] }
    // Plain loops: tests are not optimised.
    let values = matrix.values
    return (0..<matrix.rows).map { row in
      var sum = 0.0
      for place in x.indices { sum += Double(values[row * matrix.columns + place]) * x[place] }
      return sum
    }
  }

  private func add(_ x: [Double], to y: inout [Double]) {
    for place in y.indices { y[place] += x[place] }
  }
}
