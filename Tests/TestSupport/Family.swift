import Checkpoints
import Foundation

/// A tiny model of a family and what transformers computes with it, as Tests/Oracles/make_families.py made them.
public struct Family: Sendable {
  /// All that the script makes, each with a test of its own.
  public static let names = [
    "deepseek_v2", "deepseek_v2-lite", "deepseek_v3", "gemma", "gemma2", "gemma3", "gemma3-wrapped",
    "gemma4", "gemma4-moe", "gemma4-wrapped", "glm4", "glm4_moe", "gpt_oss", "gpt_oss-mxfp4",
    "gpt_oss-whole-pairs", "granite", "granitemoe", "granitemoehybrid", "granitemoehybrid-experts",
    "lfm2", "lfm2_moe", "llama", "llama-bias", "llama-linear", "llama-llama3", "llama-longrope",
    "llama-yarn", "minimax_m2", "ministral3", "mistral", "mistral3", "mixtral", "olmo2", "olmoe",
    "phi3", "phi3-partial", "qwen2", "qwen2-window", "qwen2_moe", "qwen3", "qwen3_5",
    "qwen3_5-wrapped", "qwen3_5_moe", "qwen3_moe", "qwen3_next", "seed_oss", "smollm3",
    "starcoder2",
  ]

  /// The folder that has one for each.
  public static let folder = "family-oracles"

  public let name: String
  /// The checkpoint's directory.
  public let path: String
  private let oracle: [String: [Float]]

  /// - Throws: ``MissingModel`` where nobody has made it.
  public init(_ name: String) throws {
    self.name = name
    path = try Repository.model("\(Self.folder)/\(name)")
    let file = try SafetensorsFile(path: "\(path)/oracle.safetensors")
    oracle = Dictionary(uniqueKeysWithValues: file.vectors.map { ($0.name, $0.values) })
  }

  /// Rows of tokens.
  public var rows: [[Int]] { (0..<2).map { oracle["tokens.\($0)"]?.map { Int($0) } ?? [] } }
  /// The likeliest tokens after row 1.
  public var greedy: [Int] { oracle["greedy"]?.map { Int($0) } ?? [] }

  /// The logits after each token of a row, one row after the other.
  public func logits(ofRow row: Int) -> [Float] { oracle["logits.\(row)"] ?? [] }

  /// How far logits may be off, as a share of the largest: transformers sums recurrences by chunks, in single precision.
  public var tolerance: Float {
    name.hasPrefix("qwen3_5") || name == "qwen3_next" || name.hasPrefix("granitemoehybrid")
      ? 3e-5 : 2e-5
  }

  /// What was recorded of a layer under a name: `fisher.LAYER.inputs`; nil for nothing.
  public func record(_ name: String) -> [Float]? { oracle[name] }

  /// Layers of which anything was recorded.
  public var layers: Set<String> {
    Set(oracle.keys.filter { $0.hasPrefix("uses.") }.map { String($0.dropFirst("uses.".count)) })
  }
}

/// The largest difference, as a share of the largest expected magnitude; infinite where counts or numbers make no sense.
public func largestError(_ found: [Float], _ expected: [Float]) -> Float {
  guard found.count == expected.count, !found.isEmpty else { return .infinity }
  let largest = expected.reduce(Float(0)) { max($0, abs($1)) }
  let difference = zip(found, expected).reduce(Float(0)) { sum, pair in
    let next = abs(pair.0 - pair.1)
    return next.isNaN ? .infinity : max(sum, next)
  }
  return largest > 0 ? difference / largest : .infinity
}
