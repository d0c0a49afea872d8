/// One change to a text before it is cut into words, as tokenizer.json's normalizers name them.
public enum Normalization: Hashable, Sendable {
  /// Every occurrence of a text becomes another.
  case replace(String, with: String)
  /// Every match of a regular expression becomes a text.
  case replacePattern(String, with: String)
  /// Text that is put before one that is not empty.
  case prepend(String)
  /// Unicode's normal forms.
  case nfc, nfd, nfkc, nfkd
  case lowercase
  /// Takes marks of category Mn away.
  case stripAccents
  /// Takes white space away from the ends.
  case strip(left: Bool, right: Bool)
  /// SentencePiece's clean-up: control characters go, white space of any kind becomes a space.
  case nmt
  /// SentencePiece's compiled table of replacements (`precompiled_charsmap`).
  case characterMap([UInt8])

  /// The character that SentencePiece writes for a space.
  public static let spaceMark = "\u{2581}"
}
