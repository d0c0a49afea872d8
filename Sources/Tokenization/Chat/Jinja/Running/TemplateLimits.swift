/// How much a template may do: it comes with a model, from anywhere.
struct TemplateLimits: Sendable {
  /// Expressions and statements that are run, and characters looked at, a hundred or so of them as one.
  var steps = 1_000_000
  /// Characters, and bytes in UTF-8, of what is written.
  var output = 4 << 20
  /// Characters of all strings that are made, and four for an element of a list; besides, a multiple of the messages.
  var characters = 6 << 20
  /// Values within one another, and macros that call one another.
  var depth = 64
  /// Expressions and blocks under way at a time.
  var nesting = 400

  /// For a look at how a template writes turns, which opening a tokenizer waits for.
  static let look = TemplateLimits(steps: 100_000, output: 256 << 10, characters: 1 << 20)

  /// Characters that may be made for each that the messages hold.
  static let charactersPerInput = 32
  /// Characters that count as a step.
  static let charactersPerStep = 128
}
