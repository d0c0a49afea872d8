import Checkpoints
import Glibc
import Tensors

/// Which experts tokens run through, and how much each counts.
struct Routing: Sendable {
  /// A token that an expert reads.
  struct Choice: Hashable, Sendable {
    /// The token's row.
    let row: Int
    /// How much the expert's output counts for it, the expert's scale in it.
    let weight: Float
  }

  /// What was chosen by: tokens x experts.
  let logits: Matrix
  let kind: RouterKind
  /// For each expert the tokens that it reads, in their order.
  let choices: [[Choice]]
  /// What each expert's weight is multiplied by; nil for none.
  let scales: [Float]?
  /// For each token the experts that it runs through with their weights but for scales, the heaviest first.
  let ofRow: [[(expert: Int, weight: Float)]]

  /// Chooses for each row of a router's logits.
  ///
  /// Of equals the first expert counts more.
  init(_ logits: Matrix, _ facts: ExpertFacts, scales: [Float]? = nil) {
    var choices: [[Choice]] = Array(repeating: [], count: logits.columns)
    var ofRow: [[(expert: Int, weight: Float)]] = []
    for row in 0..<logits.rows {
      let scores = Array(logits.row(row))
      let order = scores.indices.sorted {
        scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1
      }
      let chosen = Array(order.prefix(facts.chosenCount))
      let shares = Self.softmax(facts.router == .softmax ? scores : chosen.map { scores[$0] })
      let weighed = chosen.enumerated().map { place, expert in
        (expert: expert, weight: facts.router == .softmax ? shares[expert] : shares[place])
      }
      for (expert, weight) in weighed {
        let scale = scales?[expert] ?? 1
        choices[expert].append(Choice(row: row, weight: weight * scale))
      }
      ofRow.append(weighed)
    }
    self.logits = logits
    kind = facts.router
    self.choices = choices
    self.scales = scales
    self.ofRow = ofRow
  }

  private static func softmax(_ scores: [Float]) -> [Float] {
    let logits = Logits(scores)
    return scores.indices.map { Float(exp(logits.logProbability(of: $0))) }
  }
}
