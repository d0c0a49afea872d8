import Tokenization
import Work

extension GenerationRequest {
  /// The conversation as a side knows it, which has given its own answers.
  func messages(for side: AnswerSide) -> [ChatMessage] {
    let first = system.map { [ChatMessage(role: .system, content: $0)] } ?? []
    let earlier = turns.flatMap { turn in
      [
        ChatMessage(role: .user, content: turn.prompt),
        ChatMessage(role: .assistant, content: turn.answers[side] ?? ""),
      ]
    }
    return first + earlier + [ChatMessage(role: .user, content: prompt)]
  }

  /// What a side reads before it answers.
  ///
  /// - Throws: ``JobFailure`` when the model's chat template cannot be read, or refuses the conversation.
  func tokens(for side: AnswerSide, _ tokenizer: Tokenizer) throws(JobFailure) -> [Int] {
    do throws(ChatTemplateError) {
      return try tokenizer.encodeConversation(messages(for: side), raw: isRaw)
    } catch {
      throw JobFailure(
        sentence: "\(error.description); send the prompt without it: --raw, or :set raw on")
    }
  }

  /// Where the answer to this prompt stands for the noise of sampling: it is the same for all sides, though earlier answers
  /// of theirs may differ in length, so that answers part only where distributions do.
  func noisePosition(after prompt: [Int]) -> Int {
    turns.isEmpty ? prompt.count : turns.count << 24
  }
}
