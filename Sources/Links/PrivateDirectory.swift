import Glibc

/// The directory in which a user's processes find each other's sockets, closed to everybody else.
public struct PrivateDirectory: Hashable, Sendable {
  public let path: String

  /// `$XDG_RUNTIME_DIR/vise`, or where that is not set `/tmp/vise-USER`; made if it is not there.
  ///
  /// - Throws: ``LinkError`` when it cannot be made, or is not this user's alone.
  public init(in environment: [String: String]) throws(LinkError) {
    if let runtime = environment["XDG_RUNTIME_DIR"], runtime.hasPrefix("/") {
      try self.init("\(runtime)/vise")
    } else {
      try self.init("/tmp/vise-\(getuid())")
    }
  }

  /// The directory at `path`, which is made if it is not there.
  ///
  /// - Throws: ``LinkError`` as above.
  public init(_ path: String) throws(LinkError) {
    if mkdir(path, 0o700) != 0, errno != EEXIST { throw .ofSystem(path) }
    var status = stat()
    guard lstat(path, &status) == 0 else { throw .ofSystem(path) }
    guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid(),
      status.st_mode & 0o077 == 0
    else {
      throw LinkError(
        "\(path) is not a directory of this user alone, so no engine is looked for there")
    }
    self.path = path
  }

  /// The names in it; none if it cannot be read.
  public var names: [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafeBytes(of: &entry.pointee.d_name) {
          String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return names.filter { !$0.hasPrefix(".") }.sorted()
  }

  public func remove(_ name: String) { unlink("\(path)/\(name)") }
}
