import Engine
import Terminal

/// Where the parts of the prompt pane are.
struct PromptLayout: Hashable, Sendable {
  struct Side: Hashable, Sendable {
    let side: ModelSide
    /// One row with the side's name and figures.
    let heading: Rect
    let text: Rect
  }

  let input: Rect
  let sides: [Side]

  /// Answers stand side by side, or above each other where that would leave them too narrow.
  init(inside: Rect) {
    let (input, rest) = inside.splitTop(1)
    self.input = input.inset(columns: 1, rows: 0)
    let answers = rest.inset(columns: 1, rows: 0)
    let (first, second): (Rect, Rect)
    if answers.columns >= 56 {
      let half = (answers.columns - 3) / 2
      first = answers.splitLeft(half).left
      second = answers.splitRight(half).right
    } else {
      (first, second) = answers.splitTop((answers.rows + 1) / 2)
    }
    sides = zip(ModelSide.allCases, [first, second]).map { side, rect in
      let (heading, text) = rect.splitTop(1)
      return Side(side: side, heading: heading, text: text)
    }
  }
}
