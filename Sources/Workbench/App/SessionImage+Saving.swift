import Checkpoints
import Export
import Sessions

/// The names of a session's documents.
private enum Document: String {
  case marks, window, conversation, budget
}

extension SessionImage {
  /// The state as the database keeps it.
  ///
  /// - Throws: ``SessionError`` naming the file at `path` for what JSON cannot hold.
  func saved(into path: String) throws(SessionError) -> SavedSession {
    let names = marks.sorted().filter(layers.indices.contains).map { layers[$0].name }
    let documents: [String: String]
    do {
      documents = [
        Document.marks.rawValue: try SavedJSON.of(names),
        Document.window.rawValue: try SavedJSON.of(window),
        Document.conversation.rawValue: try SavedJSON.of(conversation),
        Document.budget.rawValue: try SavedJSON.of(budget),
      ]
    } catch {
      throw SessionError(path: path, reason: "cannot hold the state: \(error)")
    }
    return SavedSession(
      versions: history.versions, forgotten: history.forgotten, position: history.past.count,
      saved: history.saved, file: history.path, target: target?.rawValue, bytes: bytes,
      bitsPerWeight: bitsPerWeight, hasWork: hasWork, documents: documents)
  }
}

extension FoundSession {
  /// What an earlier session left; a document that this version cannot read is left out.
  init(_ session: SavedSession, age: Double) {
    func read<Value: Decodable>(_ document: Document) -> Value? {
      session.documents[document.rawValue].flatMap { try? SavedJSON.read(Value.self, from: $0) }
    }
    self.init(
      history: PlanHistory(session), target: session.target.flatMap(ExportTarget.init(rawValue:)),
      bytes: session.bytes, hasWork: session.hasWork,
      memory: SessionMemory(
        marks: read(.marks) ?? [], window: read(.window),
        conversation: read(.conversation).flatMap { (chat: Conversation) in
          chat.isSound ? chat : nil
        },
        budget: read(.budget)), age: age)
  }
}
