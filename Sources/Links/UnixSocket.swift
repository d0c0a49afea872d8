import Glibc

/// A socket in a user's private directory that other processes of that user connect to.
public final class UnixListener: Sendable {
  private let descriptor: Int32
  private let directory: PrivateDirectory
  private let name: String

  /// Listens under a name, which takes the place of what is there.
  public init(_ name: String, in directory: PrivateDirectory) throws(LinkError) {
    (self.name, self.directory) = (name, directory)
    unlink("\(directory.path)/\(name)")
    descriptor = try UnixSocket.make()
    let descriptor = descriptor
    do throws(LinkError) {
      try UnixSocket.withAddress(of: name, in: directory) { address, length in
        bind(descriptor, address, length) == 0 && listen(descriptor, 16) == 0
      }
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// Waits for the next process of this user that connects; nil when nobody may any more.
  ///
  /// Processes of other users, whom the directory keeps out already, are sent away.
  public func accept() -> ByteStream? {
    while true {
      let socket = retrying { Glibc.accept(descriptor, nil, nil) }
      guard socket >= 0 else {
        // What became of one connection says nothing of the next; too few descriptors may be more in a while.
        if [ECONNABORTED, EMFILE, ENFILE, ENOMEM, ENOBUFS].contains(errno) {
          usleep(10_000)
          continue
        }
        return nil
      }
      _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
      let stream = ByteStream(socket: socket)
      if stream.peer == getuid() { return stream }
    }
  }

  /// Lets nobody connect any more.
  public func end() {
    directory.remove(name)
    shutdown(descriptor, Int32(SHUT_RDWR))
  }
}

/// Addresses of sockets in a private directory.
public enum UnixSocket {
  /// Connects with whoever listens under a name.
  ///
  /// - Throws: ``LinkError`` when nobody does, or it is a process of another user.
  public static func connect(
    to name: String, in directory: PrivateDirectory
  ) throws(LinkError) -> ByteStream {
    let stream = ByteStream(socket: try make())
    try withAddress(of: name, in: directory) { address, length in
      retrying { Glibc.connect(stream.descriptor, address, length) } == 0
    }
    guard stream.peer == getuid() else {
      throw LinkError("\(directory.path)/\(name) is held by another user")
    }
    return stream
  }

  static func make() throws(LinkError) -> Int32 {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_UNIX, kind, 0)
    guard descriptor >= 0 else { throw .ofSystem("a socket") }
    return descriptor
  }

  /// Calls `body`, which says whether it succeeded, with the address of a name.
  ///
  /// Addresses hold 107 bytes; longer paths are reached by way of their open directory.
  static func withAddress(
    of name: String, in directory: PrivateDirectory,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool
  ) throws(LinkError) {
    var address = sockaddr_un()
    let room = MemoryLayout.size(ofValue: address.sun_path) - 1
    var path = "\(directory.path)/\(name)"
    var opened: Int32 = -1
    defer { if opened >= 0 { close(opened) } }
    if path.utf8.count > room {
      opened = open(directory.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard opened >= 0 else { throw .ofSystem(directory.path) }
      path = "/proc/self/fd/\(opened)/\(name)"
    }
    guard path.utf8.count <= room else { throw LinkError("\(name) is too long for a socket") }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let succeeded = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    if !succeeded { throw .ofSystem("\(directory.path)/\(name)") }
  }
}
