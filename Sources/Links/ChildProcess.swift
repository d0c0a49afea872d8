import Glibc

/// A program that this process started.
public final class ChildProcess: Sendable {
  public let process: pid_t

  /// Starts a program with a connection as its standard input and output.
  ///
  /// - Parameters:
  ///   - words: the program, looked for on the PATH if it holds no slash, and its arguments.
  ///   - connection: what it reads and writes.
  ///   - errors: what it writes to standard error goes there.
  ///   - outlives: whether it goes on when this process, or its terminal, ends.
  /// - Throws: ``LinkError`` when it cannot be started.
  public init(
    _ words: [String], connection: ByteStream, errors: ByteStream, outlives: Bool
  ) throws(LinkError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, connection.descriptor, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, connection.descriptor, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errors.descriptor, STDERR_FILENO)
    // A lock that it inherited would be held as long as it lives.
    for descriptor in Self.openDescriptors where descriptor > STDERR_FILENO {
      posix_spawn_file_actions_addclose(&actions, descriptor)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Threads here block signals, which it is to hear, and what is ignored here is not to be ignored there.
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (outlives ? Self.newSession : 0)
    posix_spawnattr_setflags(&attributes, Int16(flags))
    let arguments = words.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var process: pid_t = 0
    let code = posix_spawnp(&process, words[0], &actions, &attributes, arguments, environ)
    guard code == 0 else {
      errno = code
      throw .ofSystem(words[0])
    }
    self.process = process
  }

  /// POSIX_SPAWN_SETSID, which the C library's header hides.
  private static let newSession: Int32 = 0x80

  private static var openDescriptors: [Int32] {
    guard let directory = opendir("/proc/self/fd") else { return Array(3..<256) }
    defer { closedir(directory) }
    var found: [Int32] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let number = Int32(name), number != dirfd(directory) { found.append(number) }
    }
    return found
  }

  /// How it ended, within a time; nil if it has not.
  public func end(within milliseconds: Int) -> ProcessEnd? {
    for pause in 0...max(milliseconds / 5, 0) {
      if pause > 0 { usleep(5000) }
      var status: Int32 = 0
      guard retrying({ waitpid(process, &status, WNOHANG) }) != 0 else { continue }
      let number = status & 0x7f
      return number == 0 ? .status(status >> 8 & 0xff) : .signal(number)
    }
    return nil
  }

  public func terminate() { kill(process, SIGTERM) }
}

/// How a process ended; its description is said of the process.
public enum ProcessEnd: Hashable, Sendable, CustomStringConvertible {
  case status(Int32)
  case signal(Int32)

  public var description: String {
    switch self {
    case .status(let status): "ended with status \(status)"
    case .signal(SIGKILL): "was killed, as where memory runs out"
    case .signal(let number):
      "ended with signal \(number), \(String(cString: strsignal(number)))"
    }
  }
}
