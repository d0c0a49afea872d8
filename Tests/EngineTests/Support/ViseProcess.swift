import Foundation

/// One run of the `vise` binary that was built with these tests.
struct ViseProcess {
  let status: Int32
  let output: String
  let errors: String

  /// The binary lies beside the tests' own.
  static func binary() throws -> URL {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: tests).deletingLastPathComponent().appending(path: "vise")
  }

  /// Runs `vise` with these arguments to its end.
  ///
  /// With `interrupts`, the process gets SIGINT once it has written something. Of its environment some variables may be
  /// other than here.
  init(
    _ arguments: [String], interrupts: Bool = false, environment: [String: String] = [:]
  ) throws {
    let process = Process()
    process.executableURL = try Self.binary()
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment
      .merging(environment) { _, other in other }
    let (output, errors) = (Pipe(), Pipe())
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    var written = Data()
    if interrupts {
      written = output.fileHandleForReading.availableData
      process.interrupt()
    }
    written += try output.fileHandleForReading.readToEnd() ?? Data()
    let complaints = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    status = process.terminationReason == .exit ? process.terminationStatus : -1
    self.output = String(decoding: written, as: UTF8.self)
    self.errors = String(decoding: complaints, as: UTF8.self)
  }

  /// The output as a JSON object.
  func object() throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
    return value as? [String: Any] ?? [:]
  }
}
