import Foundation
import FoundationNetworking
import Text

/// A response's status and kind.
struct HTTPHead: Hashable, Sendable {
  var status: Int
  /// Its media type, without parameters.
  var type: String
  /// Where it redirects to, if it does.
  var location: String?

  /// Whether events follow.
  var isStream: Bool { status == 200 && type != "text/html" && type != "application/json" }

  /// The reason that it is no answer; `body` is what came with it.
  func refusal(_ body: [UInt8]) -> String {
    if let location, (300..<400).contains(status) {
      return "it redirects to \(DisplayText.line(location)); give that URL if you trust it"
    }
    if status == 200, type == "text/html" {
      return "it answers with a web page; does it speak OpenAI's API, and is its URL right?"
    }
    return ServerMessage.refusal(status: status, body: body)
  }
}

/// What comes of a request, in this order: a head, then bytes.
enum HTTPPart: Hashable, Sendable {
  case head(HTTPHead)
  case bytes(Data)
}

/// The parts of one response as they arrive, over a connection that closes when nobody reads on.
struct HTTPParts: AsyncSequence {
  private let request: URLRequest
  private let address: ServerAddress
  private let patience: ServerPatience
  private let byteLimit: Int

  /// Most bytes of a response that answers a question: no answer is that long.
  static let answerLimit = 32 << 20

  init(
    _ request: URLRequest, of address: ServerAddress, patience: ServerPatience,
    byteLimit: Int = answerLimit
  ) {
    self.byteLimit = byteLimit
    self.request = request
    self.address = address
    self.patience = patience
  }

  func makeAsyncIterator() -> Iterator {
    let (address, patience, request, byteLimit) = (address, patience, request, byteLimit)
    let parts = AsyncThrowingStream<HTTPPart, any Error> { continuation in
      let transfer = HTTPTransfer(address, patience, byteLimit: byteLimit, continuation)
      transfer.start(request)
    }
    return Iterator(parts: parts.makeAsyncIterator(), address: address)
  }

  struct Iterator: AsyncIteratorProtocol {
    fileprivate var parts: AsyncThrowingStream<HTTPPart, any Error>.Iterator
    fileprivate let address: ServerAddress

    mutating func next() async throws(ServerFailure) -> HTTPPart? {
      do {
        return try await parts.next(isolation: nil)
      } catch let failure as ServerFailure {
        throw failure
      } catch {
        throw address.failure("\(error)")
      }
    }
  }
}
