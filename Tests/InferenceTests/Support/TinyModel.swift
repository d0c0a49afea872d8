import Checkpoints
import Inference
import Tensors
import TestSupport

/// A Llama model of random weights, small enough to compute by the book.
struct TinyModel {
  let description: ModelDescription
  let layers: [String: LayerWeights]
  let norms: [String: [Float]]

  init(
    type: ElementType = .float32, tiesEmbeddings: Bool = true, ropeScaling: RopeScaling? = nil,
    contextLength: Int = 64, seed: UInt64 = 1
  ) {
    let (hidden, inner, heads, keyHeads, headSize, vocabulary, blocks) = (64, 96, 4, 2, 16, 101, 2)
    var shapes: [(String, Role, Int?, Int, Int)] = [
      ("model.embed_tokens", .embedTokens, nil, vocabulary, hidden)
    ]
    for block in 0..<blocks {
      let parts: [(String, Role, Int, Int)] = [
        ("self_attn.q_proj", .query, heads * headSize, hidden),
        ("self_attn.k_proj", .key, keyHeads * headSize, hidden),
        ("self_attn.v_proj", .value, keyHeads * headSize, hidden),
        ("self_attn.o_proj", .attentionOutput, hidden, heads * headSize),
        ("mlp.gate_proj", .gate, inner, hidden),
        ("mlp.up_proj", .up, inner, hidden),
        ("mlp.down_proj", .down, hidden, inner),
      ]
      shapes += parts.map { ("model.layers.\(block).\($0)", $1, block, $2, $3) }
    }
    if !tiesEmbeddings { shapes.append(("lm_head", .head, nil, vocabulary, hidden)) }

    var noise = Noise(seed: seed)
    var layers: [String: LayerWeights] = [:]
    var descriptions: [LayerDescription] = []
    for (name, role, block, rows, columns) in shapes {
      let values = (0..<rows * columns).map { _ in noise.next() * 0.3 }
      let matrix = StoredMatrix.storing(values, as: type, rows: rows, columns: columns)
      layers[name] = .stored(matrix)
      descriptions.append(
        .ofLlama(
          name, role: role, block: block, rows: rows, columns: columns, type: type,
          bytes: rows * columns * type.bytesPerBlock, tiesEmbeddings: tiesEmbeddings))
    }
    var norms: [String: [Float]] = [:]
    let normNames =
      (0..<blocks).flatMap {
        ["model.layers.\($0).input_layernorm", "model.layers.\($0).post_attention_layernorm"]
      } + ["model.norm"]
    for name in normNames { norms[name] = (0..<hidden).map { _ in 1 + noise.next() * 0.2 } }

    self.layers = layers
    self.norms = norms
    description = ModelDescription(
      name: "tiny", path: "tiny", format: .huggingFace, architecture: "llama",
      blueprint: .llama(
        hidden: hidden, inner: inner, blocks: blocks, heads: heads, keyHeads: keyHeads,
        headSize: headSize, vocabulary: vocabulary, context: contextLength, scaling: ropeScaling,
        tiesEmbeddings: tiesEmbeddings), parameterCount: 0, tensorBytes: 0, fingerprint: "",
      layers: descriptions)
  }

  func decoder(on pool: WorkerPool = WorkerPool(threads: 2)) throws -> Decoder {
    try Decoder(description: description, layers: layers, norms: norms, pool: pool)
  }
}

/// Reproducible numbers in -1..<1.
struct Noise {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func nextBits() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  mutating func next() -> Float { Float(Int64(bitPattern: nextBits()) >> 40) / Float(1 << 23) }

  mutating func next(below bound: Int) -> Int { Int(nextBits() >> 16) % bound }
}

extension StoredMatrix {
  /// A matrix in memory of the given values, rounded to `type`: F32, F16 or BF16.
  static func storing(
    _ values: [Float], as type: ElementType, rows: Int, columns: Int
  ) -> StoredMatrix {
    let bytes: [UInt8] = values.flatMap { value -> [UInt8] in
      switch type {
      case .float16: return Float16(value).bitPattern.bytes
      case .bfloat16: return UInt16(truncatingIfNeeded: value.bitPattern >> 16).bytes
      default: return value.bitPattern.bytes
      }
    }
    let matrix = StoredMatrix(
      storage: ByteStorage(copying: bytes), offset: 0, type: type, rows: rows, columns: columns)
    guard let matrix else { preconditionFailure("the bytes are as many as the matrix needs") }
    return matrix
  }
}

extension FixedWidthInteger {
  var bytes: [UInt8] { (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) } }
}

/// The norm of the difference over the norm of what is expected.
func relativeError(_ found: [Float], _ expected: [Float]) -> Double {
  precondition(found.count == expected.count)
  var (difference, norm) = (0.0, 0.0)
  for (a, b) in zip(found, expected) {
    difference += Double(a - b) * Double(a - b)
    norm += Double(b) * Double(b)
  }
  return (difference / norm).squareRoot()
}
