import Foundation

/// A directory that is gone with this object.
public final class TemporaryFolder {
  public let path: String

  public init() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "vise-tests-\(UUID().uuidString)")
    path = folder.path
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// A directory with these files in it.
  public convenience init(_ files: [(name: String, bytes: [UInt8])]) throws {
    try self.init()
    for file in files { try write(file.bytes, to: file.name) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// All files below a name in it, with their contents; nil if nothing is there.
  public func contents(of name: String) throws -> [String: [UInt8]]? {
    let root = "\(path)/\(name)"
    guard let kind = kind(of: root) else { return nil }
    guard kind == .typeDirectory else { return ["": try bytes(of: name)] }
    let names = try FileManager.default.subpathsOfDirectory(atPath: root).filter {
      self.kind(of: "\(root)/\($0)") == .typeRegular
    }
    return try Dictionary(
      uniqueKeysWithValues: names.map { ($0, try bytes(of: "\(name)/\($0)")) })
  }

  private func kind(of path: String) -> FileAttributeType? {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
  }

  public func bytes(of name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: "\(path)/\(name)")))
  }

  /// Writes a file and returns its path.
  @discardableResult
  public func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
    let file = "\(path)/\(name)"
    try Data(bytes).write(to: URL(filePath: file))
    return file
  }

  /// Makes a directory and returns its path.
  @discardableResult
  public func makeDirectory(_ name: String) throws -> String {
    let folder = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    return folder
  }

  /// The names in it, sorted.
  public var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}
