/// Cells of a row that lead to a file or an address.
public struct Link: Hashable, Sendable {
  public let row: Int
  public let columns: Range<Int>
  /// An address of printable ASCII.
  public let address: String

  /// A link to an `http` or `https` address; nil for others, which a click should not open.
  public init?(url: String, row: Int, columns: Range<Int>) {
    guard ["http://", "https://"].contains(where: url.hasPrefix) else { return nil }
    self.init(
      row: row, columns: columns, address: Self.encoded(url, besides: ":/?#[]@!$&'()*+,;=%"))
  }

  /// A link to a file by its absolute path; nil for other paths.
  public init?(path: String, row: Int, columns: Range<Int>) {
    guard path.hasPrefix("/") else { return nil }
    self.init(row: row, columns: columns, address: "file://" + Self.encoded(path, besides: "/"))
  }

  private init(row: Int, columns: Range<Int>, address: String) {
    (self.row, self.columns, self.address) = (row, columns, address)
  }

  /// The text with every byte escaped that is none of RFC 3986's unreserved ones, nor one of `kept`.
  private static func encoded(_ text: String, besides kept: String) -> String {
    text.utf8.map { byte in
      let character = Character(UnicodeScalar(byte))
      let isPlain =
        byte < 0x80
        && (character.isLetter || character.isNumber || "-._~".contains(character)
          || kept.contains(character))
      let digits = String(byte, radix: 16, uppercase: true)
      return isPlain ? String(character) : "%" + (digits.count == 1 ? "0" : "") + digits
    }.joined()
  }
}
