import Foundation
import Testing

/// The engine in a process of its own: it outlives the workbench, and the workbench outlives it.
@Suite(.serialized)
struct EngineProcessTests {
  private struct Engines: Decodable {
    struct Engine: Decodable {
      let process: Int32
      let isWatched: Bool
      let unseen: Int
    }

    let engines: [Engine]
  }

  private let model = Pane.root.appending(path: "Samples/scripture").path

  private func engines(of pane: Pane) throws -> [Engines.Engine] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let text = try pane.engine("--list", "--json")
    return try decoder.decode(Engines.self, from: Data(text.utf8)).engines
  }

  /// A text in the pane's folder.
  private func text(in pane: Pane, sentences: Int) throws -> String {
    let file = pane.scratch.appending(path: "text.txt")
    try String(
      repeating: "In the beginning God created the heaven and the earth. ", count: sentences
    ).write(to: file, atomically: true, encoding: .utf8)
    return file.path
  }

  private func quit(_ pane: Pane) throws {
    try pane.type("q")
    try pane.wait(for: "the session is kept")
    try pane.type("d")
    try pane.wait(for: "jobs go on")
  }

  @Test func jobsGoOnWhileTheWorkbenchIsClosed() throws {
    let pane = try Pane.interactive([model])
    try pane.wait(for: "q_proj")
    try pane.type("a4")
    try pane.wait(for: "exact figures") { $0.contains("KB") && !$0.contains("~") }
    try pane.type(":evaluate \(try text(in: pane, sentences: 4000))\r")
    try pane.wait(for: "figures of the first windows") { $0.contains("PPL") }
    try quit(pane)
    let left = try engines(of: pane)
    #expect(left.count == 1 && left.first?.isWatched == false)
    #expect(try pane.engine("--list").contains("evaluate"))
    try pane.type("clear\r")
    try pane.start([model])
    try pane.wait(for: "Still under way: evaluate")
    #expect(try engines(of: pane).map(\.process) == left.map(\.process))
    try pane.press("F6")
    try pane.wait(for: "the evaluation on the Jobs screen") { $0.contains("text.txt") }
    try pane.press("C-c")
    try pane.wait(for: "Cancelled after")
  }

  /// A job that ends while nobody is there, and its engine with it, as asked or by a signal.
  @Test(arguments: [false, true])
  func resultsWaitForWhoeverComesBack(bySignal: Bool) throws {
    let pane = try Pane.interactive([model])
    try pane.wait(for: "q_proj")
    try pane.type("a4")
    try pane.type(":evaluate \(try text(in: pane, sentences: 300))\r")
    try pane.wait(for: "Evaluating")
    try quit(pane)
    let process = try #require(try engines(of: pane).first?.process)
    for _ in 0..<1200 {
      guard try engines(of: pane).first?.unseen == 0 else { break }
      usleep(100_000)
    }
    #expect(try engines(of: pane).first?.unseen == 1)
    if bySignal {
      kill(process, SIGTERM)
    } else {
      try pane.engine("--stop", String(process))
    }
    for _ in 0..<100 {
      guard try !engines(of: pane).isEmpty else { break }
      usleep(50_000)
    }
    try pane.type("clear\r")
    try pane.start([model, "--resume"])
    try pane.wait(for: "Done while nobody was here: evaluate")
    try pane.press("F5")
    try pane.wait(for: "text.txt")
    try pane.wait(for: "KLD")
  }

  @Test func anEngineThatIsKilledCostsItsJobs() throws {
    let pane = try Pane.interactive([model])
    try pane.wait(for: "q_proj")
    try pane.type("a4")
    try pane.wait(for: "exact figures") { $0.contains("KB") && !$0.contains("~") }
    try pane.type(":evaluate \(try text(in: pane, sentences: 4000))\r")
    try pane.wait(for: "PPL")
    let process = try #require(try engines(of: pane).first?.process)
    kill(process, SIGKILL)
    try pane.wait(for: "The engine was killed, as where memory runs out: evaluate lost")
    try pane.wait(for: "another engine") { _ in
      (try? engines(of: pane).contains { $0.process != process && $0.isWatched }) == true
    }
    try pane.type("u")
    try pane.wait(for: "Undone: 4 bit on")
    try pane.type("a5")
    try pane.wait(for: "exact figures") { $0.contains("KB") && !$0.contains("~") }
    try pane.press("F6")
    try pane.wait(for: "lost with its engine")
  }

  @Test func inTheSameProcessThereIsNoOther() throws {
    let pane = try Pane.interactive([model, "--in-process"])
    try pane.wait(for: "q_proj")
    try pane.type("a4")
    try pane.wait(for: "exact figures") { $0.contains("KB") && !$0.contains("~") }
    #expect(try engines(of: pane).isEmpty)
  }

  // MARK: Another machine

  /// A folder with an `ssh` that runs what it is told to on this machine, after a shell's greeting.
  private func stub(_ body: String) throws -> String {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "vise-ssh-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appending(path: "ssh")
    try "#!/bin/sh\n\(body)\n".write(to: file, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: file.path)
    return folder.path
  }

  private func path(with folder: String) -> [String: String] {
    ["PATH": "\(folder):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"]
  }

  @Test func aModelOnAnotherMachineIsOpened() throws {
    let folder = try stub(
      """
      while [ "$1" != "--" ]; do shift; done
      echo "Welcome to $2!"
      exec sh -c "$3"
      """)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let pane = try Pane.interactive(
      ["open", "ssh://host\(model)", "--remote-vise", Pane.binary], environment: path(with: folder))
    try pane.wait(for: "q_proj")
    try pane.type("a4")
    try pane.wait(for: "exact figures") { $0.contains("KB") && !$0.contains("~") }
    try pane.type("pAnd the LORD said\r")
    try pane.wait(for: "tok/s")
    #expect(try engines(of: pane).count == 1)
  }

  @Test(arguments: [
    ("echo 'ssh: Could not resolve hostname host' >&2; exit 255", "Could not resolve hostname"),
    ("echo 'sh: vise: not found' >&2; exit 127", "install Vise there"),
    (
      "printf 'vise engine frames\\n\\000\\000\\000\\052%s' '{\"version\":\"9.0\",\"protocolVersion\":9999  }'; cat >/dev/null",
      "install the same version"
    ),
    ("yes | head -c 200000; cat > /dev/null", "no engine of Vise"),
  ])
  func whatIsWrongThereIsSaid(_ body: String, _ sentence: String) throws {
    let folder = try stub(body)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let pane = try Pane.interactive(["open", "ssh://host/x"], environment: path(with: folder))
    try pane.wait(for: sentence)
    let screen = try pane.wait(for: "shell>")
    #expect(screen.contains("vise: error:"))
  }
}
