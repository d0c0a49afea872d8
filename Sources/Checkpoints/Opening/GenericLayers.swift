import Tensors

/// The layers of a checkpoint whose architecture is not known: every matrix that is multiplied with, as far as names tell.
///
/// A layer is a two-dimensional weight that is no norm, router, convolution or table of positions, and no part of what stands
/// beside the text model; a stack of experts is one layer. Everything else is kept as it is.
/// Source of what is left out: `tensor_allows_quantization` in llama.cpp's `llama-quant.cpp`, and llm-compressor's ignores.
struct GenericLayers {
  /// A layer before it is described.
  struct Found {
    let name: String
    let ggufName: String?
    let place: LocatedTensor
    let count: Int
    let rows: Int
    let columns: Int
  }

  private let locator: TensorLocator
  private var table: TensorTable { locator.table }
  /// Whether matrices are stored with inputs for rows: what transformers calls Conv1D.
  private let isTransposed: Bool
  /// Blocks of the decoder, if that is known; what follows them predicts further tokens.
  private let blockCount: Int?

  /// Fewer rows or columns are no layer: nothing would be saved.
  private static let leastSize = 32

  init(_ locator: TensorLocator, isTransposed: Bool, blockCount: Int?) {
    self.locator = locator
    self.isTransposed = isTransposed
    self.blockCount = blockCount
  }

  /// The layers, embeddings first and heads last, blocks in their order.
  ///
  /// - Throws: ``CheckpointError`` when a quantized layer is damaged.
  func layers() throws(CheckpointError) -> [Found] {
    let quantized = try quantizedLayers()
    var found = quantized
    let taken = Set(quantized.flatMap(\.place.tensorNames))
    for entry in table.entries where !taken.contains(entry.name) {
      if let layer = plainLayer(entry) { found.append(layer) }
    }
    found = joiningExperts(found)
    let order = found.enumerated().sorted { first, second in
      (Self.rank(first.element.name), first.offset) < (
        Self.rank(second.element.name), second.offset
      )
    }
    return order.map(\.element)
  }

  /// What is to be said of tensors that stand beside the text model.
  var notes: [String] {
    let count = table.entries.count { Self.isBesideText($0.name) || isBeyondDecoder($0.name) }
    return count == 0 ? [] : ["\(count) tensors beside the text model are kept as they are"]
  }

  /// Whether a tensor is of a block that the decoder has not: a head that predicts further tokens.
  private func isBeyondDecoder(_ name: String) -> Bool {
    guard let blockCount, let block = Self.decoderBlock(of: name) else { return false }
    return block >= blockCount
  }

  private func isLayer(_ name: String) -> Bool { Self.isLayer(name) && !isBeyondDecoder(name) }

  private func quantizedLayers() throws(CheckpointError) -> [Found] {
    guard let quantization = locator.quantization else { return [] }
    var found: [Found] = []
    for name in quantization.layerNames(in: table) where isLayer(name + ".weight") {
      let layer = try quantization.layer(
        name, isEmbedding: Self.isEmbedding(name), shape: nil, in: table)
      guard let layer else { continue }
      found.append(
        Found(
          name: name, ggufName: nil, place: LocatedTensor(layer), count: 1, rows: layer.rows,
          columns: layer.columns))
    }
    return found
  }

  private func plainLayer(_ entry: TensorEntry) -> Found? {
    guard let type = entry.type, type.isDecodable, isLayer(entry.name) else { return nil }
    let isStack = entry.shape.count == 3
    let shape = isStack ? Array(entry.shape.dropFirst()) : entry.shape
    guard shape.count == 2, shape.min() ?? 0 >= Self.leastSize else { return nil }
    let count = isStack ? entry.shape[0] : 1
    let name = Self.layerName(entry.name)
    let isEmbedding = Self.isEmbedding(name)
    let swaps =
      locator.format == .huggingFace && !isEmbedding
      && (isTransposed || (isStack && isTransposedStack(entry)))
    let matrix = StoredMatrix(
      storage: table.storages[entry.file], offset: entry.offset, type: type,
      rows: count * shape[0], columns: shape[1])
    guard let matrix else { return nil }
    let plain = LocatedTensor(stored: matrix, named: entry.name)
    let place =
      swaps
      ? LocatedTensor(
        source: .transposed(matrix, count: count), type: type, scheme: nil,
        tensorNames: plain.tensorNames, byteCount: plain.byteCount) : plain
    return Found(
      name: name, ggufName: locator.format == .gguf ? entry.name : nil, place: place,
      count: count, rows: count * (swaps ? shape[1] : shape[0]),
      columns: swaps ? shape[0] : shape[1])
  }

  /// Whether experts' matrices are stored with inputs for rows, as gpt-oss and Llama 4 have them.
  ///
  /// Gates and ups give twice what the matrix down reads, and it gives what they read: only one way round fits both.
  private func isTransposedStack(_ entry: TensorEntry) -> Bool {
    let (gateUp, down) = ("gate_up_proj", "down_proj")
    guard let tail = [gateUp, down].first(where: { entry.name.hasSuffix("experts.\($0)") }) else {
      return false
    }
    let stem = entry.name.dropLast(tail.count)
    guard let first = table["\(stem)\(gateUp)"], let second = table["\(stem)\(down)"],
      first.shape.count == 3, second.shape.count == 3
    else { return false }
    return first.shape[1] == second.shape[2] && first.shape[2] == 2 * second.shape[1]
  }

  /// One layer for the experts' matrices of a block, which Hugging Face checkpoints often hold in a tensor each.
  private func joiningExperts(_ found: [Found]) -> [Found] {
    var stacks: [String: [Int: Found]] = [:]
    for layer in found {
      guard let (name, expert) = ExpertName.parts(of: layer.name) else { continue }
      stacks[name, default: [:]][expert] = layer
    }
    var joined: Set<String> = []
    return found.compactMap { layer in
      guard let (name, _) = ExpertName.parts(of: layer.name), let stack = stacks[name],
        stack.count > 1
      else {
        return layer
      }
      if joined.contains(name) { return nil }
      // A gap in the numbers leaves fewer than there are.
      let parts = (0..<stack.count).compactMap { stack[$0] }
      guard parts.count == stack.count,
        parts.allSatisfy({ $0.rows == layer.rows && $0.columns == layer.columns }),
        let place = try? LocatedTensor(stacking: parts.map(\.place), named: name, in: table)
      else { return layer }
      joined.insert(name)
      return Found(
        name: name, ggufName: nil, place: place, count: parts.count,
        rows: parts.count * layer.rows, columns: layer.columns)
    }
  }
}

// MARK: - Names

extension GenericLayers {
  /// Whether a tensor's name is that of a matrix in a text model.
  static func isLayer(_ name: String) -> Bool {
    let lower = name.lowercased()
    let isWeight = lower.hasSuffix(".weight") || lower.contains("experts.")
    guard isWeight, !lower.hasSuffix(".bias"), !lower.hasSuffix("_bias") else { return false }
    if isBesideText(name) || noLayers.contains(where: lower.contains) { return false }
    let modules = layerName(lower).split(separator: ".").map(String.init)
    // A gate alone chooses experts, and what is called a convolution holds its filters.
    if modules.contains("gate") || modules.last?.contains("conv") == true { return false }
    let words = modules.flatMap { $0.split(separator: "_") }
    return !words.contains { $0.hasSuffix("norm") || $0 == "ln" || $0.hasPrefix("layernorm") }
  }

  /// Whether a tensor's name is that of a part for images or sound, or of a head that predicts further tokens.
  static func isBesideText(_ name: String) -> Bool {
    let lower = name.lowercased()
    return besideText.contains(where: lower.contains)
  }

  /// What stands beside the text model.
  private static let besideText = [
    "vision", "visual", "image", "audio", "multi_modal", "mm_projector", "mmproj", "mtp.", "nextn",
    "speech", "codec", "v.blk", "a.blk", "aligner", "vq_model", "resampler", "connector", "qformer",
    "patch_embed", "vpm.", "apm.", "talker.", "token2wav", "code2wav",
  ]

  /// Routers, positions, and small matrices that steer a mixer.
  private static let noLayers = [
    "router", "ffn_gate_inp", "shared_expert_gate", "position", "pos_emb", "wpe.", "rotary",
    "rope_", "token_type", "attn_rel_b", "relative_attention", "altup", "laurel",
    "per_layer_model_proj", "time_mix", "ssm_alpha", "ssm_beta", "ssm_ba.", "ssm_dt", "dt_proj",
    "in_proj_a.", "in_proj_b.", "in_proj_ba.", "self_attn.b_proj.", "a_log", "sinks",
    "indexer.weights", "indexer.proj",
  ]

  static func isEmbedding(_ name: String) -> Bool {
    embeddings.contains(last(name)) || name.contains("embed_tokens")
  }

  private static let embeddings: Set<String> = [
    "embed_tokens", "wte", "word_embeddings", "tok_embeddings", "embed_in", "embeddings",
    "embedding", "token_embd", "embed", "shared",
  ]
  private static let heads: Set<String> = ["lm_head", "embed_out", "output", "output_layer"]

  static func role(_ name: String, isBlock: Bool) -> Role {
    let last = last(name)
    if isEmbedding(name) { return .embedTokens }
    if !isBlock, heads.contains(last) { return .head }
    if name.contains("shared_expert") { return Role(rawValue: "shared_expert.\(last)") }
    if name.contains("experts.") { return Role(rawValue: "experts.\(last)") }
    return Role(rawValue: last)
  }

  /// The block that a name has as its first number.
  static func block(of name: String) -> Int? {
    name.split(separator: ".").lazy.compactMap { Int($0) }.first
  }

  /// The block of a decoder that a Hugging Face or GGUF name is in; nil for names that begin otherwise.
  private static func decoderBlock(of name: String) -> Int? {
    let prefixes = [
      "model.layers.", "model.language_model.layers.", "language_model.model.layers.", "blk.",
    ]
    return prefixes.contains(where: name.hasPrefix) ? block(of: name) : nil
  }

  private static func last(_ name: String) -> String {
    name.split(separator: ".").last.map(String.init) ?? name
  }

  private static func layerName(_ name: String) -> String {
    name.hasSuffix(".weight") ? String(name.dropLast(".weight".count)) : name
  }

  /// Embeddings come first, blocks by their number, all else last.
  private static func rank(_ name: String) -> Int {
    if let block = block(of: name) { return 1 + block }
    return isEmbedding(name) ? 0 : .max
  }
}
