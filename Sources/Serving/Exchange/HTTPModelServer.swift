import Foundation
import FoundationNetworking

/// A server over HTTP that speaks OpenAI's API: vLLM, llama.cpp's server, and their like.
public struct HTTPModelServer: ModelServer {
  private let patience: ServerPatience
  private let key: ServerKey

  public init(patience: ServerPatience = ServerPatience(), key: ServerKey = .environment) {
    self.patience = patience
    self.key = key
  }

  public func ask(
    _ question: ServerQuestion?, of address: ServerAddress,
    report: @escaping @Sendable (ServerNews) -> Void
  ) -> ServerExchange {
    let task = Task {
      do throws(ServerFailure) {
        let found = try await find(address, isProbe: question == nil)
        report(.found(found))
        if let question { try await answer(question, found, report) }
      } catch {
        if !Task.isCancelled { report(.failed(withoutKey(error))) }
      }
    }
    return ServerExchange { task.cancel() }
  }

  // MARK: Models

  /// The address with a model's name: the given one, or that of the only model.
  ///
  /// A probe also makes sure that a server is there if the name is given.
  private func find(
    _ address: ServerAddress, isProbe: Bool
  ) async throws(ServerFailure) -> ServerAddress {
    if address.model != nil, !isProbe { return address }
    let request = URLRequest(url: try address.url(of: "models"))
    var body: [UInt8] = []
    var status = 0
    for try await part in try parts(of: request, address, patience.connecting) {
      switch part {
      case .head(let head): status = head.status
      case .bytes(let bytes):
        body += bytes
        guard body.count <= EventStreamParser.eventLimit else {
          throw address.failure("its list of models is longer than 1 MB")
        }
      }
    }
    // A server without a list of models may still answer.
    if address.model != nil, status == 404 || status == 405 { return address }
    guard status == 200 else {
      throw address.failure(ServerMessage.refusal(status: status, body: body))
    }
    if address.model != nil { return address }
    var found = address
    found.model = try ModelList(body, from: address).only
    return found
  }

  // MARK: Answers

  private func answer(
    _ question: ServerQuestion, _ address: ServerAddress,
    _ report: @Sendable (ServerNews) -> Void
  ) async throws(ServerFailure) {
    var request = URLRequest(url: try address.url(of: question.path))
    request.httpMethod = "POST"
    request.httpBody = Data(question.body(model: address.model ?? ""))
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.setValue("text/event-stream", forHTTPHeaderField: "Accept")
    var reader = AnswerReader(address: address, tokenLimit: question.tokenLimit)
    do throws(ServerFailure) {
      for try await part in try parts(of: request, address, patience.idle) {
        for news in try reader.take(part) { report(news) }
        if reader.isOver { return }
      }
    } catch {
      // Whoever has said why the answer ends need not close the connection politely.
      if !reader.hasEnd { throw error }
    }
    if !Task.isCancelled { for news in try reader.finish() { report(news) } }
  }

  // MARK: Requests

  private func parts(
    of request: URLRequest, _ address: ServerAddress, _ idle: Duration
  ) throws(ServerFailure) -> HTTPParts {
    var request = request
    if let key = try key.read() {
      request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization")
    }
    return HTTPParts(
      request, of: address, patience: ServerPatience(connecting: patience.connecting, idle: idle))
  }

  /// A failure whose sentence does not tell the key, should the server have repeated it.
  private func withoutKey(_ failure: ServerFailure) -> ServerFailure {
    guard let key = try? key.read() else { return failure }
    return ServerFailure(failure.description.replacing(key, with: "***"))
  }
}
