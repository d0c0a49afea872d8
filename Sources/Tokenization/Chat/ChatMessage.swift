/// One message of a conversation.
public struct ChatMessage: Hashable, Sendable {
  public enum Role: String, Hashable, Sendable {
    case system, user, assistant
  }

  public let role: Role
  public let content: String

  public init(role: Role, content: String) {
    self.role = role
    self.content = content
  }
}
