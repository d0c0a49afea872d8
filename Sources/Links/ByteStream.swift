import Glibc

/// Bytes to and from another process; both directions may be used by a thread each.
public final class ByteStream: Sendable {
  private let input: Int32
  private let output: Int32

  /// A socket, which is closed with this value.
  init(socket: Int32) { (input, output) = (socket, socket) }

  /// What this process reads and writes as standard input and output.
  ///
  /// A reader that has gone ends no process that writes to it from now on.
  public static func standard() -> ByteStream {
    signal(SIGPIPE, SIG_IGN)
    return ByteStream(input: STDIN_FILENO, output: STDOUT_FILENO)
  }

  /// The connection that whoever started this process has made its standard input and output; those lead nowhere from now on.
  ///
  /// - Throws: ``LinkError`` when standard input is no socket.
  public static func inherited() throws(LinkError) -> ByteStream {
    var status = stat()
    guard fstat(STDIN_FILENO, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
      throw LinkError("standard input is no socket of a workbench")
    }
    let socket = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
    let nowhere = open("/dev/null", O_RDWR | O_CLOEXEC)
    guard socket >= 0, nowhere >= 0, dup2(nowhere, STDIN_FILENO) >= 0,
      dup2(nowhere, STDOUT_FILENO) >= 0
    else { throw .ofSystem("the connection with the workbench") }
    close(nowhere)
    // Nobody may read what is said of a crash any more.
    signal(SIGPIPE, SIG_IGN)
    return ByteStream(socket: socket)
  }

  private init(input: Int32, output: Int32) { (self.input, self.output) = (input, output) }

  deinit {
    close(input)
    if output != input { close(output) }
  }

  /// Waits for bytes and takes those that are there.
  ///
  /// - Returns: at most 64 KiB; none once the other side has ended.
  public func read() throws(LinkError) -> [UInt8] {
    let room = 65_536
    var failure: LinkError?
    let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      let read = retrying { Glibc.read(input, buffer.baseAddress, room) }
      // A process that was killed with bytes on their way to it resets the connection: that is an end as well.
      if read < 0, errno != ECONNRESET { failure = .ofSystem("reading from another process") }
      count = max(read, 0)
    }
    if let failure { throw failure }
    return bytes
  }

  /// Sends all of the bytes; waits until the other side has room for them.
  public func write(_ bytes: [UInt8]) throws(LinkError) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { bytes in
        let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
        return retrying {
          input == output
            ? send(output, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            : Glibc.write(output, rest.baseAddress, rest.count)
        }
      }
      guard count > 0 else { throw .ofSystem("writing to another process") }
      sent += count
    }
  }

  /// Whether there is something to read, or the other side has ended, within a time.
  public func hasInput(within milliseconds: Int) -> Bool {
    var state = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    return retrying { poll(&state, 1, Int32(clamping: milliseconds)) } > 0
  }

  /// Ends both directions of a socket: whoever reads it, here or there, sees its end.
  public func end() { shutdown(output, Int32(SHUT_RDWR)) }

  /// Says to the other side of a socket that no more comes, and goes on reading.
  public func endOutput() { shutdown(output, Int32(SHUT_WR)) }

  /// The user that the process at the other side of a socket runs as; nil where the system does not tell.
  public var peer: UInt32? {
    // As the system's `struct ucred` has it: process, user, group.
    var credentials: [UInt32] = [0, 0, 0]
    var length = socklen_t(12)
    let result = credentials.withUnsafeMutableBytes {
      getsockopt(input, SOL_SOCKET, SO_PEERCRED, $0.baseAddress, &length)
    }
    return result == 0 && length == 12 ? credentials[1] : nil
  }

  /// Two streams that are the ends of one connection; the second is for a process that is about to be started.
  public static func pair() throws(LinkError) -> (ByteStream, ByteStream) {
    var ends: [Int32] = [0, 0]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw .ofSystem("a pair of sockets") }
    return (ByteStream(socket: ends[0]), ByteStream(socket: ends[1]))
  }

  /// The number of a socket, for a process that is started with it.
  var descriptor: Int32 { output }
}
