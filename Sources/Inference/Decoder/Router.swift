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
  /// What weights are multiplied by.
  let scale: Float
  /// For each expert the tokens that it reads, in their order.
  let choices: [[Choice]]
  /// What each expert's weight is multiplied by; nil for none.
  let scales: [Float]?
  /// For each token the experts that it runs through with their weights but for scales, the heaviest first.
  let ofRow: [[(expert: Int, weight: Float)]]

  /// Chooses for each row of a router's logits.
  ///
  /// Of equals the first expert counts more.
  /// - Parameters:
  ///   - logits: Tokens x experts.
  ///   - facts: How many are chosen, and how they are weighed.
  ///   - bias: What is added to the scores of experts when they are chosen; nil for nothing.
  ///   - scales: What experts' weights are multiplied by once they are chosen; nil for nothing.
  init(_ logits: Matrix, _ facts: ExpertFacts, bias: [Float]? = nil, scales: [Float]? = nil) {
    var choices: [[Choice]] = Array(repeating: [], count: logits.columns)
    var ofRow: [[(expert: Int, weight: Float)]] = []
    for row in 0..<logits.rows {
      let logits = Array(logits.row(row))
      let scores = facts.router.isSigmoid ? logits.map(Self.sigmoid) : Self.softmax(logits)
      let marks = Self.marks(logits, scores, facts, bias)
      let candidates = facts.groups.map { Self.members(ofBest: $0, marks) }
      let chosen = Self.best(facts.chosenCount, of: candidates ?? Array(marks.indices), marks)
      let weighed = zip(chosen, Self.weights(of: chosen, scores, logits, facts.router)).map {
        (expert: $0, weight: $1 * facts.weightScale)
      }
      for (expert, weight) in weighed {
        let scale = scales?[expert] ?? 1
        choices[expert].append(Choice(row: row, weight: weight * scale))
      }
      ofRow.append(weighed)
    }
    self.logits = logits
    kind = facts.router
    scale = facts.weightScale
    self.choices = choices
    self.scales = scales
    self.ofRow = ofRow
  }

  /// What experts are chosen by; those without a chance, whose logits are minus infinity, stay so.
  private static func marks(
    _ logits: [Float], _ scores: [Float], _ facts: ExpertFacts, _ bias: [Float]?
  ) -> [Float] {
    // Probabilities of unlikely experts may be equal zeros where their logits differ.
    guard bias != nil || facts.groups != nil || facts.router.isSigmoid else { return logits }
    return logits.indices.map { expert in
      logits[expert] == -.infinity
        ? -.infinity : scores[expert] + (bias?[expert] ?? 0)
    }
  }

  /// The experts of the groups whose best ones have the largest sums.
  private static func members(ofBest groups: ExpertGroups, _ marks: [Float]) -> [Int] {
    let size = marks.count / groups.count
    let sums = (0..<groups.count).map { group in
      marks[group * size..<(group + 1) * size].sorted(by: >).prefix(groups.comparedCount)
        .reduce(0, +)
    }
    return best(groups.chosenCount, of: Array(sums.indices), sums)
      .flatMap { $0 * size..<($0 + 1) * size }
  }

  /// Those with the largest marks, the largest first.
  private static func best(_ count: Int, of places: [Int], _ marks: [Float]) -> [Int] {
    let order = places.sorted {
      marks[$0] != marks[$1] ? marks[$0] > marks[$1] : $0 < $1
    }
    return Array(order.prefix(count))
  }

  private static func weights(
    of chosen: [Int], _ scores: [Float], _ logits: [Float], _ kind: RouterKind
  ) -> [Float] {
    switch kind {
    case .softmax, .sigmoid: return chosen.map { scores[$0] }
    case .softmaxOfChosen: return softmax(chosen.map { logits[$0] })
    case .sigmoidOfChosen:
      // The addend is transformers', for scores that are all zero.
      let sum = chosen.reduce(Float(0)) { $0 + scores[$1] } + 1e-20
      return chosen.map { scores[$0] / sum }
    }
  }

  static func sigmoid(_ logit: Float) -> Float { 1 / (1 + exp(-logit)) }

  private static func softmax(_ scores: [Float]) -> [Float] {
    let logits = Logits(scores)
    return scores.indices.map { Float(exp(logits.logProbability(of: $0))) }
  }
}
