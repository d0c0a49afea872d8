import Testing

@testable import Terminal

@Suite struct StandInTests {
  @Test(
    arguments: [
      ("╭", "+"), ("─", "-"), ("│", "|"), ("┼", "+"), ("═", "="), ("█", "#"), ("▏", "|"),
      ("▂", "_"),
      ("░", "."), ("⠀", " "), ("⠁", "."), ("⣿", ":"), ("…", "."), ("▸", ">"), ("é", "e"),
      ("Å", "A"),
      ("中", "?"), ("😀", "?"), ("x", "x"), ("e\u{301}", "e"), ("\u{A0}", " "),
    ] as [(Character, Unicode.Scalar)])
  func standIns(glyph: Character, standIn: Unicode.Scalar) {
    #expect(asciiStandIn(for: glyph) == standIn.value)
  }

  @Test func everyGlyphHasOne() {
    for value in UInt32(0x20)...0xFFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      #expect(asciiStandIn(for: Character(scalar)) < 0x80)
    }
  }
}
