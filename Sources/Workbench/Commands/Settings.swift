import Engine
import Tensors
import Terminal

/// What `:set` changes: a name, the values it takes, and where the value goes.
enum Setting: String, CaseIterable, Hashable, Sendable {
  case temperature, tokens, seed, raw, arithmetic, plot, mouse, links, notify
  case kvCache = "kv-cache"
  case inputSparsity = "input-sparsity"
  case topK = "top-k"
  case topP = "top-p"

  /// What the value is, for messages and completion.
  var help: String {
    switch self {
    case .temperature: "0 takes the most probable token; up to 2"
    case .tokens: "most tokens of an answer: 1 to 4096"
    case .seed: "of sampling: a whole number"
    case .raw: "on sends prompts without the chat template"
    case .arithmetic: "exact, or fast: inputs of 8 bits for layers of codes"
    case .kvCache: "what keys and values are held as: f16, int8 or f32"
    case .plot: "braille, blocks or ascii"
    case .mouse: "on or off"
    case .links: "on lets the terminal open paths and addresses, off does not"
    case .notify: "how the end of a long job is told where nobody looks: off, bell, osc9 or osc777"
    case .inputSparsity: "share of small inputs of o and down that count as zero: 0 to 0.95"
    case .topK: "only the most probable tokens; 0 is all"
    case .topP: "only the likeliest tokens with that probability together; 1 is all"
    }
  }

  /// Values worth offering.
  var examples: [String] {
    switch self {
    case .temperature: ["0", "0.7", "0.8", "1"]
    case .tokens: ["64", "128", "256", "512"]
    case .seed: ["0", "1"]
    case .raw, .mouse, .links: ["on", "off"]
    case .notify: Attention.allCases.map(\.rawValue)
    case .arithmetic: Arithmetic.allCases.map(\.rawValue)
    case .kvCache: CacheType.allCases.map(\.rawValue)
    case .inputSparsity: ["0", "0.4", "0.5", "0.6"]
    case .plot: Glyphs.Plot.allCases.map(\.rawValue)
    case .topK: ["0", "40"]
    case .topP: ["0.9", "0.95", "1"]
    }
  }
}

extension GenerationRequest {
  /// Changes one setting; false if the value makes no sense for it.
  mutating func set(_ setting: Setting, to value: String) -> Bool {
    switch setting {
    case .temperature:
      guard let number = Double(value), (0...2).contains(number) else { return false }
      sampling.temperature = number
    case .tokens:
      guard let number = Int(value), (1...4096).contains(number) else { return false }
      tokenLimit = number
    case .seed:
      guard let number = UInt64(value) else { return false }
      sampling.seed = number
    case .raw:
      guard value == "on" || value == "off" else { return false }
      isRaw = value == "on"
    case .arithmetic:
      guard let chosen = Arithmetic(rawValue: value) else { return false }
      arithmetic = chosen
    case .kvCache:
      guard let chosen = CacheType(rawValue: value) else { return false }
      cacheType = chosen
    case .inputSparsity:
      guard let number = Double(value), (0...0.95).contains(number) else { return false }
      inputSparsity = number == 0 ? nil : number
    case .topK:
      guard let number = Int(value), (0...1_000_000).contains(number) else { return false }
      sampling.topK = number
    case .topP:
      guard let number = Double(value), number > 0, number <= 1 else { return false }
      sampling.topP = number
    case .plot, .mouse, .links, .notify: return false
    }
    return true
  }

  /// The settings in a line: `greedy · 128 tokens`.
  func summary(separator: String) -> String {
    var parts: [String] = []
    if sampling.temperature == 0 {
      parts.append("greedy")
    } else {
      parts.append("temperature \(sampling.temperature)")
      if sampling.topK > 0 { parts.append("top-k \(sampling.topK)") }
      if sampling.topP < 1 { parts.append("top-p \(sampling.topP)") }
    }
    parts.append("\(tokenLimit) tokens")
    if system != nil { parts.append("system prompt") }
    if isRaw { parts.append("raw") }
    if arithmetic == .fast { parts.append("fast") }
    if cacheType != .f16 { parts.append("KV \(cacheType.rawValue)") }
    if let inputSparsity { parts.append("input sparsity \(inputSparsity)") }
    return parts.joined(separator: " \(separator) ")
  }
}
