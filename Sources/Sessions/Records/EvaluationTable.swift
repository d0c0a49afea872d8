import Compression
import Foundation
import Inference
import Tensors

extension PlanEvaluation {
  /// The same for equal plans: eight digits, by which people tell plans in a list apart.
  public var planID: String {
    let hash = ContentHash(of: plan.yaml().utf8).value >> 32
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}

/// Evaluations as other programs read them.
public enum EvaluationTable {
  /// RFC 4180 with a line of headings; figures that were not measured are empty.
  public static func csv(_ evaluations: [PlanEvaluation]) -> String {
    let lines = [columns.map(\.title)] + evaluations.map { row in columns.map { $0.cell(row) } }
    return lines.map { $0.map(quoted).joined(separator: ",") + "\r\n" }.joined()
  }

  private static let columns: [(title: String, cell: @Sendable (PlanEvaluation) -> String)] = [
    ("finished", { $0.finished.map { $0.formatted(.iso8601) } ?? "" }),
    ("plan_id", { $0.planID }),
    ("text", { $0.textPath }),
    ("tokens", { String($0.result.tokens) }),
    ("windows", { String($0.result.windows) }),
    ("bytes", { String($0.bytes) }),
    ("bits_per_weight", { String($0.bitsPerWeight) }),
    ("reference_ppl", { String($0.result.referencePPL.value) }),
    ("ppl", { text($0.result.compressedPPL?.value) }),
    ("ppl_standard_error", { text($0.result.compressedPPL?.standardError) }),
    ("kld", { text($0.result.divergence?.mean.value) }),
    ("kld_standard_error", { text($0.result.divergence?.mean.standardError) }),
    ("top1", { text($0.result.top1Agreement?.value) }),
  ]

  private static let special: Set<Unicode.Scalar> = ["\"", ",", "\r", "\n"]

  private static func text(_ value: Double?) -> String { value.map { String($0) } ?? "" }

  private static func quoted(_ cell: String) -> String {
    // A carriage return and the newline after it are one character to Swift, so each is looked for alone.
    guard cell.unicodeScalars.contains(where: special.contains) else { return cell }
    return "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}
