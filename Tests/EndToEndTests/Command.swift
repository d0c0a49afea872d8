import Foundation
import Glibc

/// Runs a program to its end.
///
/// Not Foundation's `Process`: that waits until nobody holds a socket of its own any more, and
/// tmux's server, which the first call leaves behind, holds it for as long as it lives.
enum Command {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// What a program prints, standard error included; throws when its status is not 0.
  @discardableResult
  static func run(_ words: [String], environment: [String: String] = [:]) throws -> String {
    let file = FileManager.default.temporaryDirectory.appending(path: "out-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, file.path, O_CREAT | O_WRONLY, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // Nor must it hold the pipes of other tests.
    for descriptor: Int32 in 3..<256 {
      posix_spawn_file_actions_addclose(&actions, descriptor)
    }
    // Tests run on threads that block signals; what they start must hear them.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var nothing = sigset_t()
    sigemptyset(&nothing)
    posix_spawnattr_setsigmask(&attributes, &nothing)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let argv = words.map { strdup($0) } + [nil]
    let envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    var pid: pid_t = 0
    let error = posix_spawnp(&pid, words[0], &actions, &attributes, argv, envp)
    guard error == 0 else {
      throw Failure(description: "\(words[0]): \(String(cString: strerror(error)))")
    }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    let output = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    guard status == 0 else {
      throw Failure(description: "\(words.joined(separator: " ")): status \(status): \(output)")
    }
    return output
  }
}
