import Compression
import Foundation
import Inference
import Sessions
import TestSupport

/// A store in a folder of its own, and values to put into it.
struct Fixture {
  let folder: TemporaryFolder
  var directory: String { "\(folder.path)/vise" }
  var database: String { "\(directory)/sessions.sqlite" }

  init() throws { folder = try TemporaryFolder() }

  func open() throws -> SessionStore { try SessionStore(directory: directory) }

  /// What an SQL query gives a client that is not ours: Python's, a row a line, columns split by `|`.
  func ask(_ sql: String) throws -> [String] {
    let script = """
      import sqlite3, sys
      db = sqlite3.connect(sys.argv[1], timeout=10)
      for row in db.execute(sys.argv[2]): print("|".join(map(str, row)))
      db.commit()
      db.close()
      """
    return try Self.python(script, [database, sql])
  }

  @discardableResult
  static func python(_ script: String, _ arguments: [String]) throws -> [String] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script] + arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(status: process.terminationStatus) }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  struct Failure: Error { let status: Int32 }
}

extension ModelRecord {
  static func synthetic(_ fingerprint: String = "abc", path: String = "/models/a") -> ModelRecord {
    ModelRecord(
      fingerprint: fingerprint, name: "Model \(fingerprint)", path: path, tensorBytes: 1000,
      parameterCount: 500)
  }
}

extension Plan {
  /// A plan with so many bits for all layers.
  static func bits(_ bits: Int) -> Plan {
    Plan(rules: [PlanRule(layers: ["*"], change: SchemeChange(bits: bits))])
  }
}

extension SavedSession {
  /// A session with a version for each number of bits.
  static func of(
    bits: [Int], position: Int? = nil, forgotten: Int = 0, documents: [String: String] = [:]
  ) -> SavedSession {
    SavedSession(
      versions: bits.enumerated().map {
        PlanVersion(plan: .bits($1), change: $0 + forgotten == 0 ? "" : "to \($1) bit")
      },
      forgotten: forgotten, position: position ?? bits.count - 1, saved: .bits(bits[0]),
      file: nil, target: "llama.cpp", bytes: 600, bitsPerWeight: 9.6, documents: documents)
  }
}

extension EvaluationSummary {
  static func synthetic(_ mean: Double) -> EvaluationSummary {
    EvaluationSummary(
      tokens: 512, windows: 4, referencePPL: Estimate(12.5), compressedPPL: Estimate(13),
      divergence: .init(
        mean: Estimate(mean), median: Estimate(0.01), p99: Estimate(0.4), max: Estimate(2)),
      windowDivergences: [0.03, 0.02, 0.04, 0.034])
  }
}
