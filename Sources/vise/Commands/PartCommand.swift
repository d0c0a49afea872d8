import ArgumentParser
import Compression
import Engine
import Tensors

/// `vise part`: the blocks that make the compressed model part from the original on an answer.
struct PartCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "part",
    abstract:
      "Finds the blocks under a plan that make the answer to a prompt part from the original's.",
    discussion: """
      The original answers the prompt. Then, for each block, the compressed model reads prompt and answer up to that block \
      and the original goes on from there: "adds" is what the block adds to the KLD (nats a token, over the answer), "own error" \
      the relative error of its output if it reads what it reads in the original, "error" the one in the compressed model as it \
      runs. "parts at" is the first token at which another one becomes the most probable.

      --json: prompt, answer, token_ids, blocks[] of place (embedding, block, head), block (its number, or null), own_error, \
      relative_error, kld, added_kld, parting (from 0, or null); with --each-token, tokens[] of token_id, text, kld, and \
      reference and compressed, each of probability, rank, alternatives[].{token_id,text,probability}.
      """)

  @OptionGroup var model: ModelArgument

  @Option(help: "A plan file.", completion: .file(extensions: ["yaml", "yml"]))
  var plan: String

  @OptionGroup var asked: PromptOptions

  @Flag(help: "Sends the prompt as it is, without the model's chat template.")
  var raw = false

  @Option(help: "Most tokens of the answer.")
  var tokens = 64

  @Flag(help: "Tells as well what both models expect at each token of the answer.")
  var eachToken = false

  @Flag(help: "Prints JSON.")
  var json = false

  func validate() throws {
    guard tokens > 0 else { throw ValidationError("--tokens is at least 1.") }
  }

  func run() throws {
    let prompts = try asked.list()
    guard let last = prompts.last, asked.areTurns else {
      throw ValidationError(
        "Only one conversation is measured: --prompt, or --prompts with --turns.")
    }
    let session = EngineSession()
    defer { session.close() }
    let opened = try session.open(model.path)
    session.setPlan(try PlanFile.read(plan), from: plan, for: opened)
    var request = GenerationRequest(
      prompt: last, isRaw: raw, sides: [.reference], tokenLimit: tokens, system: asked.system)
    for prompt in prompts.dropLast() {
      request.prompt = prompt
      request.turns.append(try session.answer(request, isStreamed: false).turn(prompt))
    }
    request.prompt = last
    let answer = try session.answer(request, isStreamed: false)
    let ids = answer.result.reference?.tokenIds ?? []
    let reading = ReadingRequest(conversation: request, side: .reference, answer: ids)
    let blocks = try session.parting(reading)
    let read = eachToken ? try session.tokens(reading) : []
    if json {
      try JSONOutput.write(
        Result(
          prompt: last, answer: answer.result.reference?.text ?? "", tokenIds: ids,
          blocks: Self.blocks(blocks), tokens: eachToken ? read.map(Token.init) : nil))
      return
    }
    var table = TextTable(["compressed up to", "own error", "error", "KLD", "adds", "parts at"])
    for block in Self.blocks(blocks) {
      table.add([
        block.block.value.map { "block \($0)" } ?? block.place,
        block.ownError.value?.percent ?? "-",
        block.relativeError.value?.percent ?? "-", block.kld.value?.fixed(5) ?? "-",
        block.addedKld.value?.fixed(5) ?? "-", block.parting.value.map { "token \($0 + 1)" } ?? "-",
      ])
    }
    OutputStream.standard.write(table.text)
    guard eachToken else { return }
    var each = TextTable(
      ["token", "text", "KLD", "reference", "compressed", "the compressed model's first"],
      words: [1, 5])
    for token in read {
      each.add([
        "\(token.index + 1)", token.text, token.divergence.fixed(5),
        token.reference.probability.percent, token.compressed.probability.percent,
        token.compressed.alternatives.first?.text ?? "",
      ])
    }
    OutputStream.standard.write("\n" + each.text)
  }

  private struct Result: Encodable {
    let prompt: String
    let answer: String
    let tokenIds: [Int]
    let blocks: [Block]
    let tokens: [Token]?
  }

  private struct Block: Encodable {
    let place: String
    let block: Nullable<Int>
    let ownError: Figure
    let relativeError: Figure
    let kld: Figure
    let addedKld: Figure
    let parting: Nullable<Int>
  }

  private struct Token: Encodable {
    struct Alternative: Encodable {
      let tokenId: Int
      let text: String
      let probability: Double
    }

    struct Expectation: Encodable {
      let probability: Double
      let rank: Int
      let alternatives: [Alternative]

      init(_ expectation: TokenReading.Expectation) {
        (probability, rank) = (expectation.probability, expectation.rank)
        alternatives = expectation.alternatives.map {
          Alternative(tokenId: $0.id, text: $0.text, probability: $0.probability)
        }
      }
    }

    let tokenId: Int
    let text: String
    let kld: Figure
    let reference: Expectation
    let compressed: Expectation

    init(_ token: TokenReading) {
      (tokenId, text, kld) = (token.id, token.text, Figure(token.divergence))
      (reference, compressed) = (Expectation(token.reference), Expectation(token.compressed))
    }
  }

  private static func blocks(_ found: [BlockParting]) -> [Block] {
    var before = 0.0
    return found.map { parting in
      defer { before = parting.divergence }
      let (place, block): (String, Int?) =
        switch parting.place {
        case .embedding: ("embedding", nil)
        case .block(let block): ("block", block)
        case .head: ("head", nil)
        }
      return Block(
        place: place, block: Nullable(block), ownError: Figure(parting.ownError),
        relativeError: Figure(parting.relativeError), kld: Figure(parting.divergence),
        addedKld: Figure(parting.divergence - before), parting: Nullable(parting.parting))
    }
  }
}
