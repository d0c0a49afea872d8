import Compression
import Inference
import Sessions
import Tensors

/// What a running evaluation measures.
struct EvaluationSubject: Hashable, Sendable {
  let textPath: String
  let plan: Plan
  /// One a layer.
  let schemes: [Scheme]
  let bytes: Int
  let bitsPerWeight: Double
  /// What was found so far; nil before the first figures and after the last.
  var found: EvaluationSummary?

  func evaluation(_ result: EvaluationSummary) -> PlanEvaluation {
    PlanEvaluation(
      textPath: textPath, plan: plan, result: result, bytes: bytes, bitsPerWeight: bitsPerWeight)
  }
}

/// Every evaluation of the open model, of this session and of earlier ones, and those of the plan as it is.
struct EvaluationList: Hashable, Sendable {
  /// An evaluation and the scheme of each layer then; nil where the plan is of a model pruned otherwise.
  struct Entry: Hashable, Sendable {
    var evaluation: PlanEvaluation
    var schemes: [Scheme]?
  }

  /// Oldest first.
  private(set) var all: [Entry] = []
  /// The newest evaluation of the plan as it is; nil if it was not measured.
  private(set) var current: PlanEvaluation?
  /// Row under the cursor of the History screen, counted from the newest.
  var cursor = 0
  /// Rows that the lower part of that screen is scrolled down.
  var scroll = 0
  private var shown: Shown?

  /// What ``current`` was looked up for.
  private struct Shown: Hashable, Sendable {
    let plan: Plan
    let schemes: [Scheme]
    let count: Int
  }

  var last: PlanEvaluation? { all.last?.evaluation }

  /// The one in a row of the History screen, which lists the newest first.
  func newest(_ row: Int) -> Entry { all[all.count - 1 - row] }

  /// The one under the cursor of the History screen.
  var selected: Entry? { all.indices.contains(cursor) ? newest(cursor) : nil }

  /// Takes on what earlier sessions measured; what was measured meanwhile comes after it.
  mutating func load(_ read: [PlanEvaluation], for model: OpenModel, structure: ModelStructure?) {
    all = read.map { Entry(evaluation: $0) } + all
    resolve(for: model, structure: structure)
  }

  /// Works the schemes out anew for a model that is pruned as `structure` says.
  mutating func resolve(for model: OpenModel, structure: ModelStructure?) {
    for place in all.indices {
      let plan = all[place].evaluation.plan
      all[place].schemes = plan.structure == structure ? model.schemes(of: plan) : nil
    }
    shown = nil
  }

  /// Whether the very same result is there already; that it is equal to the last digit leaves no doubt.
  func contains(_ evaluation: PlanEvaluation) -> Bool {
    all.contains {
      $0.evaluation.plan == evaluation.plan && $0.evaluation.result == evaluation.result
        && $0.evaluation.textPath == evaluation.textPath
    }
  }

  mutating func add(_ evaluation: PlanEvaluation, schemes: [Scheme]?) {
    all.append(Entry(evaluation: evaluation, schemes: schemes))
    // The row under the cursor stays the same evaluation.
    if cursor > 0 { cursor += 1 }
    shown = nil
  }

  /// Stores the time under which an evaluation added earlier was saved.
  mutating func note(kept: PlanEvaluation) {
    var pending = kept
    pending.finished = nil
    guard let place = all.lastIndex(where: { $0.evaluation == pending }) else { return }
    all[place].evaluation = kept
    shown = nil
  }

  /// Looks up what is known of a plan: of any that gives every layer the same scheme.
  mutating func show(_ plan: Plan, schemes: [Scheme]) {
    let wanted = Shown(plan: plan, schemes: schemes, count: all.count)
    guard wanted != shown else { return }
    shown = wanted
    let known = all.filter { isOf(plan, schemes: schemes, $0) }.map(\.evaluation)
    current = known.last { newest in
      // One that was cancelled does not hide one that read more of the same text.
      !known.contains {
        $0.textPath == newest.textPath && $0.result.windows > newest.result.windows
      }
    }
  }

  /// Whether an evaluation is of a plan, or of another that comes to the same.
  func isOf(_ plan: Plan, schemes: [Scheme], _ entry: Entry) -> Bool {
    entry.evaluation.plan == plan
      || entry.evaluation.plan.structure == plan.structure && entry.schemes == schemes
  }
}

extension OpenModel {
  /// The scheme of each layer under a plan; nil if it does not fit the model.
  func schemes(of plan: Plan) -> [Scheme]? {
    guard let byName = try? plan.schemes(for: shapes) else { return nil }
    return shapes.map { byName[$0.name] ?? .keep }
  }
}
