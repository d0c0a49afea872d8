import JSON

/// A prompt for a server, and how to answer it.
public struct ServerQuestion: Hashable, Sendable {
  /// A message of a conversation.
  public struct Message: Hashable, Sendable {
    public enum Role: String, Hashable, Sendable {
      case system, user, assistant
    }

    public var role: Role
    public var content: String

    public init(role: Role, content: String) {
      self.role = role
      self.content = content
    }
  }

  public var prompt: String
  /// The conversation before the prompt, for servers that put it into the model's chat template.
  public var earlier: [Message] = []
  /// Whether the server puts it into the model's chat template; else the model reads it as it is.
  public var isChat: Bool
  /// Most tokens of the answer.
  public var tokenLimit: Int
  /// 0 is greedy.
  public var temperature: Double
  /// Only the most probable `topK` tokens; 0 means all.
  public var topK: Int
  /// Only the smallest set of tokens with this probability together; 1 means all.
  public var topP: Double
  public var seed: UInt64

  public init(
    prompt: String, isChat: Bool, tokenLimit: Int, temperature: Double = 0, topK: Int = 0,
    topP: Double = 1, seed: UInt64 = 0
  ) {
    self.prompt = prompt
    self.isChat = isChat
    self.tokenLimit = tokenLimit
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.seed = seed
  }

  /// What of the API it goes to.
  var path: String { isChat ? "chat/completions" : "completions" }

  /// The request's body, for a model of that name.
  func body(model: String) -> [UInt8] {
    var body: JSONObject = .empty
    body["model"] = .string(model)
    if isChat {
      let messages = earlier + [Message(role: .user, content: prompt)]
      body["messages"] = .array(
        messages.map { ["role": .string($0.role.rawValue), "content": .string($0.content)] })
    } else {
      body["prompt"] = .string(prompt)
    }
    body["max_tokens"] = .integer(tokenLimit)
    body["stream"] = true
    // vLLM then says with each piece how many tokens there are.
    body["stream_options"] = ["include_usage": true, "continuous_usage_stats": true]
    body["temperature"] = JSONValue(temperature)
    if temperature > 0 {
      body["top_p"] = JSONValue(topP)
      body["top_k"] = .integer(topK)
      // Servers read 32 or 63 bits of it.
      body["seed"] = .integer(Int(seed & 0x7fff_ffff))
      body["min_p"] = 0
    }
    // What Vise's own models do not do, and servers or checkpoints may have as their default.
    body["repeat_penalty"] = 1
    body["repetition_penalty"] = 1
    return JSONWriter.bytes(of: .object(body))
  }
}
