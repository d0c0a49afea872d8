import Foundation

/// A server on this machine that plays good and bad servers; it ends with this object.
public final class TestServer: Sendable {
  /// The server did not start.
  public struct StartFailure: Error {}

  /// Keeps the server's standard input open, which is what it lives on.
  private let input: FileHandle
  private let port: Int

  public init() throws {
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "server.py")
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", script.path]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw StartFailure()
    }
    self.port = port
    self.input = input.fileHandleForWriting
  }

  deinit { try? input.close() }

  /// The URL of a server that does what `behaviour` says.
  public func url(_ behaviour: String) -> String { "http://127.0.0.1:\(port)/\(behaviour)" }

  /// What it has to tell of connections that others closed.
  public func log() throws -> [String] {
    let data = try Data(contentsOf: URL(string: url("log/")) ?? URL(filePath: "/"))
    return try JSONSerialization.jsonObject(with: data) as? [String] ?? []
  }

  /// Waits until others have closed a connection to the server of that URL.
  public func waitForClose(_ behaviour: String) async throws {
    while !(try log().contains(behaviour)) { try await Task.sleep(for: .milliseconds(10)) }
  }
}
