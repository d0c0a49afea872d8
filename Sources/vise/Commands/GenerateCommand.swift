import ArgumentParser
import Compression
import Engine
import Tensors

extension Arithmetic: ExpressibleByArgument {}
extension CacheType: ExpressibleByArgument {}

/// `vise generate`: an answer of the model, of the compressed model, or of both, and of a server beside them.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Answers a prompt: with the model, or under a plan with the compressed model.",
    discussion: """
      The prompt is a user's message in the model's chat template. Where there is none it is sent as it is, which is said; \
      control tokens that it spells are text unless --raw is given.

      --json: reference, compressed, or both, each of text, token_ids, tokens_per_second, prompt_tokens, prompt_seconds \
      (until the first token of the answer), cache_bytes (of keys and values), with --input-sparsity input_sparsity (the share that was left out); and \
      with --serve, served of model, text, tokens_per_second. \
      Of several prompts, answers[] of the same with prompt, parting (the first token, from 0, at which both models part), same \
      (share of the same tokens), kld (mean, while both agree).
      """)

  @OptionGroup var model: ModelArgument

  @OptionGroup var asked: PromptOptions

  @Flag(help: "Sends the prompt as it is, without the model's chat template.")
  var raw = false

  @Option(help: "A plan file.", completion: .file(extensions: ["yaml", "yml"]))
  var plan: String?

  @Flag(help: "Answers with both models; needs --plan.")
  var compare = false

  @OptionGroup var serving: ServingOptions

  @Option(help: "Most tokens of the answer.")
  var tokens = 128

  @Option(help: "0 always takes the most probable token; 1 samples as the model says.")
  var temperature = 0.0

  @Option(help: "Samples among this many of the most probable tokens only; 0: among all.")
  var topK = 0

  @Option(help: "Samples among the most probable tokens of this probability together only.")
  var topP = 1.0

  @Option(help: "Makes sampling repeatable.")
  var seed: UInt64 = 0

  @Option(
    help: """
      How layers of integer codes multiply: exact, or fast, which rounds their inputs to 8 bits.
      """)
  var arithmetic = Arithmetic.exact

  @Option(help: "What keys and values are held as: f16, int8, or f32.")
  var kvCache = CacheType.f16

  @OptionGroup var sparsity: SparsityOption

  @Flag(help: "Prints JSON when the answer has ended.")
  var json = false

  func validate() throws {
    guard plan != nil || !compare else { throw ValidationError("--compare needs --plan.") }
    guard tokens > 0 else { throw ValidationError("--tokens is at least 1.") }
    guard temperature >= 0, temperature.isFinite else {
      throw ValidationError("--temperature is 0 or more.")
    }
    guard topK >= 0 else { throw ValidationError("--top-k is 0 or more.") }
    guard topP > 0, topP <= 1 else { throw ValidationError("--top-p lies between 0 and 1.") }
  }

  func run() throws {
    let server = try serving.address()
    let prompts = try asked.list()
    let session = EngineSession()
    defer { session.close() }
    let opened = try session.open(model.path)
    if let plan { session.setPlan(try PlanFile.read(plan), from: plan, for: opened) }
    let sides: [ModelSide] =
      compare ? [.reference, .compressed] : plan == nil ? [.reference] : [.compressed]
    var request = GenerationRequest(
      prompt: "", isRaw: raw, sides: sides, server: server, tokenLimit: tokens,
      sampling: SamplingSettings(
        temperature: temperature, topK: topK, topP: topP, seed: seed), arithmetic: arithmetic,
      cacheType: kvCache, inputSparsity: sparsity.inputSparsity, system: asked.system)
    var turns: [Transcript.Turn] = []
    for prompt in prompts {
      if !json, prompts.count > 1 {
        OutputStream.standard.writeLine((turns.isEmpty ? "" : "\n") + "> " + prompt)
      }
      request.prompt = prompt
      let transcript = try session.answer(request, isStreamed: !json)
      if asked.areTurns { request.turns.append(transcript.turn(prompt)) }
      guard prompts.count > 1 || asked.prompts != nil else {
        if json { try JSONOutput.write(transcript.result) }
        return
      }
      turns.append(transcript.result(of: prompt))
    }
    if json {
      try JSONOutput.write(Several(answers: turns))
    } else if compare {
      OutputStream.standard.write("\n" + Self.table(of: turns))
    }
  }

  private struct Several: Encodable {
    let answers: [Transcript.Turn]
  }

  /// Where the answers to each prompt part.
  private static func table(of turns: [Transcript.Turn]) -> String {
    var table = TextTable(["parts at", "same", "KLD", "prompt"], words: [3])
    for turn in turns {
      table.add([
        turn.parting.map { "token \($0 + 1)" } ?? "-", turn.same?.percent ?? "-",
        turn.kld?.fixed(4) ?? "-", String(turn.prompt.prefix(60)),
      ])
    }
    return table.text
  }
}
