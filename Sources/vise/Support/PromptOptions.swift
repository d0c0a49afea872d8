import ArgumentParser
import Engine
import Tensors
import Tokenization

/// What is asked: a prompt, several that follow each other, or those of a file.
struct PromptOptions: ParsableArguments {
  @Option(
    help: "What to answer. Given again, it is the next turn of the same conversation.")
  var prompt: [String] = []

  @Option(
    help: "A file of prompts, one a line or a JSON list; each is asked by itself.",
    completion: .file())
  var prompts: String?

  @Flag(help: "The prompts of the file are turns of one conversation.")
  var turns = false

  @Option(help: "What the chat template says before all turns.")
  var system: String?

  func validate() throws {
    guard prompt.isEmpty != (prompts == nil) else {
      throw ValidationError("Either --prompt or --prompts is needed.")
    }
    guard !turns || prompts != nil else { throw ValidationError("--turns needs --prompts.") }
  }

  /// Whether each prompt goes on from the answers before it.
  var areTurns: Bool { turns || prompts == nil }

  /// The prompts in their order.
  func list() throws(CommandFailure) -> [String] {
    guard let prompts else { return prompt }
    let bytes: [UInt8]
    do {
      let storage = try ByteStorage(mapping: prompts)
      bytes = storage.bytes(in: 0..<storage.count)
    } catch {
      throw CommandFailure(status: .failed, message: "\(prompts): \(error.reason)")
    }
    do {
      return try PromptList(bytes, of: prompts).prompts
    } catch {
      throw CommandFailure(status: .failed, message: error.description)
    }
  }
}
