import Foundation
import FoundationNetworking
import Synchronization
import Text

/// One request on its way: hears what the network has to say, and loses patience with servers that say nothing.
final class HTTPTransfer: NSObject, URLSessionDataDelegate, Sendable {
  private struct Progress {
    /// Whether the server has taken the request.
    var isConnected = false
    var lastSign = ContinuousClock.now
    var bytes = 0
    var isOver = false
  }

  private let address: ServerAddress
  private let patience: ServerPatience
  private let byteLimit: Int
  private let parts: AsyncThrowingStream<HTTPPart, any Error>.Continuation
  private let progress = Mutex(Progress())

  init(
    _ address: ServerAddress, _ patience: ServerPatience, byteLimit: Int,
    _ parts: AsyncThrowingStream<HTTPPart, any Error>.Continuation
  ) {
    self.address = address
    self.patience = patience
    self.byteLimit = byteLimit
    self.parts = parts
  }

  /// Sends the request; the transfer ends with its parts, or when nobody reads them any more.
  func start(_ request: URLRequest) {
    let settings = URLSessionConfiguration.ephemeral
    settings.urlCache = nil
    settings.httpCookieStorage = nil
    settings.urlCredentialStorage = nil
    // Ours is the patience that counts.
    settings.timeoutIntervalForRequest = 86_400
    let session = URLSession(configuration: settings, delegate: self, delegateQueue: nil)
    let task = session.dataTask(with: request)
    let watch = Task { await self.watch() }
    parts.onTermination = { _ in
      watch.cancel()
      task.cancel()
      session.finishTasksAndInvalidate()
    }
    task.resume()
  }

  /// Waits as long as the server may take, and then ends the transfer.
  private func watch() async {
    while !Task.isCancelled {
      let (since, isConnected) = progress.withLock { ($0.lastSign, $0.isConnected) }
      let limit = isConnected ? patience.idle : patience.connecting
      let left = limit - (ContinuousClock.now - since)
      if left > .zero {
        try? await Task.sleep(for: left)
        continue
      }
      let reason =
        isConnected
        ? "the server has sent nothing for \(limit.inWords); it is overloaded, or hangs"
        : "no answer within \(limit.inWords); is the server running, and is the URL right?"
      end(address.failure(reason))
    }
  }

  /// Ends the transfer, unless it has ended.
  private func end(_ failure: ServerFailure? = nil) {
    let wasOver = progress.withLock { progress in
      defer { progress.isOver = true }
      return progress.isOver
    }
    if !wasOver { parts.finish(throwing: failure) }
  }

  private func noteSign(bytes: Int = 0) -> Int {
    progress.withLock { progress in
      progress.isConnected = true
      progress.lastSign = .now
      progress.bytes += bytes
      return progress.bytes
    }
  }

  // MARK: Delegate

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didSendBodyData bytesSent: Int64,
    totalBytesSent: Int64, totalBytesExpectedToSend: Int64
  ) {
    _ = noteSign()
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    _ = noteSign()
    let response = response as? HTTPURLResponse
    parts.yield(
      .head(
        HTTPHead(
          status: response?.statusCode ?? 0, type: response?.mimeType?.lowercased() ?? "",
          location: response?.value(forHTTPHeaderField: "Location"))))
    completionHandler(.allow)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    guard noteSign(bytes: data.count) <= byteLimit else {
      end(address.failure("the server sends more than \(byteLimit >> 20) MB, which is no answer"))
      return
    }
    parts.yield(.bytes(data))
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask,
    willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) {
    // A key and a prompt go to the server that was named, and to no other.
    completionHandler(nil)
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
  ) {
    guard let error else {
      end()
      return
    }
    let hasBegun = progress.withLock { $0.bytes > 0 }
    end(
      address.failure(
        hasBegun ? "the connection was closed before the answer was complete" : Self.reason(error)))
  }

  private static func reason(_ error: any Error) -> String {
    switch (error as? URLError)?.code {
    case .cannotConnectToHost: "nobody answers there; is the server running, and is the port right?"
    case .cannotFindHost: "there is no host of that name"
    case .networkConnectionLost: "the connection was closed without an answer"
    default: DisplayText.line(error.localizedDescription)
    }
  }
}

extension Duration {
  /// As people say it: `10 s`, `0.3 s`.
  fileprivate var inWords: String {
    let seconds = self / .seconds(1)
    return seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"
  }
}
