import ArgumentParser
import Checkpoints
import Compression
import Engine
import Tensors

/// `vise logits`: what the model, or the compressed model, expects after each token of a text, as a file.
struct LogitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logits",
    abstract: "Writes the logits after each token of a text, for checking numbers elsewhere.",
    discussion: """
      The text's first tokens are read as one sequence. The safetensors file holds token_ids, I64 \
      [tokens], as the model reads them, and logits, F32 [tokens, vocabulary]: \
      of the model, or under a plan of the compressed model.

      --json: output, tokens, vocabulary, bytes.
      """)

  @OptionGroup var model: ModelArgument

  @OptionGroup var options: PlanUnderTest

  @Option(help: "A UTF-8 text, or JSON lines with a text or messages field.", completion: .file())
  var text: String

  @Option(help: "Most tokens to read of it; without it, 256, or the model's context.")
  var tokens: Int?

  @Option(
    help: "The file that is made.", completion: .file(extensions: ["safetensors"]))
  var output: String

  @Option(
    help: """
      How layers of integer codes multiply: exact, or fast, which rounds their inputs to 8 bits.
      """)
  var arithmetic = Arithmetic.exact

  @Option(help: "What keys and values are held as: f16, int8, or f32.")
  var kvCache = CacheType.f32

  @Flag(help: "Replaces what is there.")
  var replace = false

  @Flag(help: "Prints JSON.")
  var json = false

  func validate() throws {
    guard tokens.map({ $0 >= 3 }) ?? true else { throw ValidationError("--tokens is at least 3.") }
  }

  func run() throws {
    let session = EngineSession()
    defer { session.close() }
    let opened = try session.open(model.path, under: options)
    let written = try session.writeLogits(
      LogitsRequest(
        textPath: text, tokenLimit: tokens ?? min(256, opened.contextLength),
        side: options.plan == nil ? .reference : .compressed, outputPath: output,
        replaces: replace, arithmetic: arithmetic, cacheType: kvCache))
    if json {
      try JSONOutput.write(LogitsResult(written))
    } else {
      OutputStream.standard.writeLine(
        "\(written.vocabulary) logits after each of \(written.tokens) tokens, "
          + "\(written.bytes.megabytes) MB, written to \(written.outputPath)")
    }
  }
}

/// What `vise logits --json` prints.
private struct LogitsResult: Encodable {
  let output: String
  let tokens: Int
  let vocabulary: Int
  let bytes: Int

  init(_ summary: LogitsSummary) {
    output = summary.outputPath
    tokens = summary.tokens
    vocabulary = summary.vocabulary
    bytes = summary.bytes
  }
}
