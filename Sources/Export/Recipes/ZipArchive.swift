/// Files in zip's format, stored as they are: the same files are the same bytes.
///
/// Source: PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.4; files and the archive are below 4 GB.
public enum ZipArchive {
  /// The archive of some files, in their order.
  ///
  /// - Parameter files: Names relative to the archive's root, each once, and contents.
  /// - Returns: The file's bytes.
  public static func bytes(of files: [(name: String, contents: [UInt8])]) -> [UInt8] {
    var archive: [UInt8] = []
    var directory: [UInt8] = []
    for (name, contents) in files {
      let offset = archive.count
      let facts = header(of: name, contents)
      archive += number(0x0403_4b50) + half(20) + facts + Array(name.utf8) + contents
      directory += number(0x0201_4b50) + half(0x031e) + half(20) + facts
      // No comment, the first disk, no internal attributes; a plain file that everybody reads and its owner writes.
      directory += half(0) + half(0) + half(0) + number(0o100644 << 16) + number(offset)
      directory += Array(name.utf8)
    }
    let end =
      number(0x0605_4b50) + half(0) + half(0) + half(files.count) + half(files.count)
      + number(directory.count) + number(archive.count) + half(0)
    return archive + directory + end
  }

  /// What the local header and the directory's entry say alike: UTF-8 names, stored, the first of January 1980.
  private static func header(of name: String, _ contents: [UInt8]) -> [UInt8] {
    half(0x0800) + half(0) + half(0) + half(0x21) + number(Int(checksum(contents)))
      + number(contents.count) + number(contents.count) + half(name.utf8.count) + half(0)
  }

  /// CRC-32 of the bytes, as Ethernet and zip have it.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { sum, byte in
      (sum >> 8) ^ table[Int((sum ^ UInt32(byte)) & 0xff)]
    }
  }

  private static let table: [UInt32] = (0..<256).map { start in
    (0..<8).reduce(UInt32(start)) { value, _ in
      value & 1 == 1 ? 0xedb8_8320 ^ (value >> 1) : value >> 1
    }
  }

  private static func half(_ value: Int) -> [UInt8] {
    (0..<2).map { UInt8(value >> (8 * $0) & 0xff) }
  }

  private static func number(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(value >> (8 * $0) & 0xff) }
  }
}
