import Terminal
import Testing
import TestSupport

@Suite struct FrameTests {
  private func frame(_ columns: Int, _ rows: Int) -> Frame {
    Frame(size: Size(columns: columns, rows: rows))
  }

  @Test func putReturnsTheColumnsItTook() {
    var frame = frame(10, 1)
    #expect(frame.put("ab中", at: Point(column: 1, row: 0)) == 4)
    #expect(frame.row(0) == " ab中")
    #expect(frame[0, 3].width == 2)
    #expect(frame[0, 4].width == 0)
  }

  @Test func putNeverSplitsAWideGrapheme() {
    var frame = frame(4, 1)
    #expect(frame.put("abc中", at: Point(column: 0, row: 0)) == 3)
    #expect(frame.text() == "abc")
    #expect(frame.put("中文", at: Point(column: 0, row: 0), maxColumns: 3) == 2)
    #expect(frame.text() == "中c")
  }

  @Test func putClipsOnBothSides() {
    var frame = frame(8, 2)
    let clip = Rect(column: 2, row: 0, columns: 3, rows: 1)
    #expect(frame.put("012345", at: Point(column: 0, row: 0), within: clip) == 5)
    #expect(frame.text() == "  234\n")
    #expect(frame.put("x", at: Point(column: 2, row: 1), within: clip) == 0)
    frame.put("a中b", at: Point(column: -2, row: 1))
    #expect(frame.row(1) == " b")
  }

  @Test func paintingOverHalfAWideGlyphBlanksTheOther() {
    var frame = frame(4, 1)
    frame.put("中文", at: Point(column: 0, row: 0))
    frame.put("x", at: Point(column: 1, row: 0))
    #expect(frame.row(0) == " x文")
    frame.put("漢", at: Point(column: 1, row: 0))
    #expect(frame.row(0) == " 漢")
    #expect(frame.cells.map(\.width) == [1, 2, 0, 1])
  }

  @Test func copyingCellByCellKeepsWideGlyphs() {
    var source = frame(6, 1)
    source.put("a中b文", at: Point(column: 0, row: 0))
    var copy = frame(6, 1)
    for column in 0..<6 { copy[0, column] = source[0, column] }
    #expect(copy == source)
  }

  @Test func controlsBecomeVisible() {
    var frame = frame(12, 1)
    frame.put("a\u{1B}[2J\tb\u{9B}\u{7F}\u{200D}", at: Point(column: 0, row: 0))
    #expect(frame.row(0) == "a␛[2J b\u{FFFD}␡")
  }

  @Test func joinedEmojiTakeTheCellsOfTheirParts() {
    var frame = frame(12, 1)
    let used = frame.put("👨‍👩‍👧👍🏽e\u{301}", at: Point(column: 0, row: 0))
    #expect(used == 9)
    #expect(frame.row(0) == "👨👩👧👍é")
  }

  @Test func outsideIsIgnored() {
    var frame = frame(3, 2)
    let blank = frame
    frame[5, 0] = Cell("x")
    frame[0, -1] = Cell("x")
    frame.put("text", at: Point(column: 7, row: 0))
    frame.put("text", at: Point(column: 0, row: -1))
    frame.put("text", at: Point(column: 1, row: 0), maxColumns: -4)
    frame.fill(Rect(column: 3, row: 0, columns: 9, rows: 9), with: "x")
    frame[0, 2] = Cell("中")
    #expect(frame == blank)
    #expect(frame[9, 9] == .blank)
  }

  @Test func boxesCarryTitles() {
    var frame = frame(14, 4)
    frame.drawBox(frame.bounds, title: "Layers 211", footer: "end")
    #expect(
      frame.text() == """
        ╭ Layers 211 ╮
        │            │
        │            │
        ╰─────── end ╯
        """)
    frame.drawBox(
      Rect(column: 0, row: 0, columns: 9, rows: 2), glyphs: .ascii, title: "too long",
      footer: "too long")
    #expect(frame.row(0) == "+ too … +211 ╮")
    #expect(frame.row(1) == "+-------+    │")
  }

  @Test func restyleKeepsGlyphs() {
    var frame = frame(4, 2)
    frame.put("ab", at: Point(column: 0, row: 1))
    frame.restyle(Rect(column: -3, row: 1, columns: 99, rows: 99)) { $0.attributes = .reverse }
    #expect(frame.row(1) == "ab")
    #expect(frame[1, 3].style == Style(attributes: .reverse))
    #expect(frame[0, 0].style == .plain)
  }

  @Test(arguments: 0..<20) func randomPaintingKeepsFramesWellFormed(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var frame = frame(7, 3)
    for _ in 0..<200 {
      let text = ["a", "中", "e\u{301}", "文b", " ", "\u{0}"].randomElement(using: &random) ?? ""
      let point = Point(
        column: Int.random(in: -2...8, using: &random), row: Int.random(in: 0..<3, using: &random))
      frame.put(text, at: point)
      for row in 0..<3 {
        let widths = (0..<7).map { frame[row, $0].width }
        for (column, width) in widths.enumerated() {
          #expect(width != 2 || (column < 6 && widths[column + 1] == 0))
          #expect(width != 0 || (column > 0 && widths[column - 1] == 2))
        }
      }
    }
  }
}

@Suite struct RectTests {
  private let rect = Rect(column: 2, row: 1, columns: 10, rows: 5)

  @Test func splitsCoverTheWhole() {
    let (top, below) = rect.splitTop(2)
    #expect(top == Rect(column: 2, row: 1, columns: 10, rows: 2))
    #expect(below == Rect(column: 2, row: 3, columns: 10, rows: 3))
    let (rest, right) = rect.splitRight(4)
    #expect(rest == Rect(column: 2, row: 1, columns: 6, rows: 5))
    #expect(right == Rect(column: 8, row: 1, columns: 4, rows: 5))
    #expect(rect.splitBottom(99).bottom == rect)
    #expect(rect.splitBottom(99).rest.isEmpty)
    #expect(rect.splitLeft(-3).rest == rect)
  }

  @Test func insetAndIntersectionNeverTurnNegative() {
    #expect(rect.inset(by: 1) == Rect(column: 3, row: 2, columns: 8, rows: 3))
    #expect(rect.inset(by: 9).isEmpty)
    #expect(rect.intersection(Rect(column: 90, row: 0, columns: 1, rows: 1)).isEmpty)
    #expect(rect.contains(Point(column: 11, row: 5)))
    #expect(!rect.contains(Point(column: 12, row: 5)))
    #expect(
      rect.centered(Size(columns: 4, rows: 99)) == Rect(column: 5, row: 1, columns: 4, rows: 5))
  }
}
