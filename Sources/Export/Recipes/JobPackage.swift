import Tensors

/// The files of a job as a cluster takes them: an archive with a name of what it holds.
public struct JobPackage: Hashable, Sendable {
  /// A file of the package.
  public struct File: Codable, Hashable, Sendable {
    public var name: String
    /// In UTF-8.
    public var text: String

    public init(name: String, text: String) { (self.name, self.text) = (name, text) }

    public var bytes: Int { text.utf8.count }
  }

  public let files: [File]
  /// 16 hexadecimal digits that other files have only by chance.
  public let digest: String

  public init(files: [File]) {
    self.files = files
    var hash = ContentHash()
    for file in files {
      hash.add(file.name)
      hash.add(file.text)
    }
    digest = hash.digits
  }

  /// The name that Ray knows the archive by.
  public var name: String { "_ray_pkg_\(digest).zip" }

  public var archive: [UInt8] {
    ZipArchive.bytes(of: files.map { ($0.name, Array($0.text.utf8)) })
  }
}
