import Terminal
import Testing

@testable import Workbench

@Suite struct FiguresTests {
  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1000, "1.00 KB"), (181_540, "182 KB"), (689_664, "690 KB"),
    (999_499, "999 KB"), (999_500, "1.00 MB"), (1_614_000, "1.61 MB"), (84_213_000, "84.2 MB"),
    (269_060_552, "269 MB"), (7_240_000_000, "7.24 GB"),
  ])
  func bytes(_ count: Int, _ text: String) {
    #expect(Figures.bytes(count) == text)
  }

  @Test func totalBytesHaveOneDecimalMore() {
    #expect(Figures.totalBytes(269_060_552) == "269.1 MB")
    #expect(Figures.totalBytes(84_213_000) == "84.2 MB")
    #expect(Figures.totalBytes(999_960_000) == "1.00 GB")
    #expect(Figures.totalBytes(12) == "12 B")
    #expect(!Figures.totalBytes(.max).isEmpty && !Figures.bytes(.max).isEmpty)
  }

  @Test(arguments: [
    (0.0, "0"), (0.011312, "0.0113"), (1.614, "1.61"), (20.94, "20.9"), (182.3, "182"),
    (9.996, "10.0"), (0.00034, "3.4e-4"), (-0.25, "-0.250"), (1e-30, "1.0e-30"),
  ])
  func significant(_ value: Double, _ text: String) {
    #expect(Figures.significant(value) == text)
  }

  @Test func whatIsNoNumberIsShownAsSuch() {
    #expect(Figures.fixed(.nan, 1) == "-")
    #expect(Figures.fixed(.infinity, 1) == "inf")
    #expect(Figures.significant(-.infinity) == "-inf")
    #expect(Figures.duration(.nan) == "-:--")
    #expect(!Figures.fixed(1e300, 2).isEmpty)
  }

  @Test func percentAndDuration() {
    #expect(Figures.percent(0.94) == "94.0%" || Figures.percent(0.94) == "94%")
    #expect(Figures.percent(0.5) == "50%")
    #expect(Figures.percent(0.031) == "3.1%")
    #expect(Figures.duration(40.2) == "0:41")
    #expect(Figures.duration(3723) == "1:02:03")
    #expect(Figures.parameters(134_515_008) == "134.5 M")
  }

  @Test func decibelsAreRatiosOfEnergies() {
    #expect(abs(Decibel.decibel(100) - 20) < 1e-12)
    #expect(abs(Decibel.ratio(Decibel.decibel(3.7)) - 3.7) < 1e-12)
  }
}

@Suite struct LineEditorTests {
  private func edited(_ text: String, _ keys: String...) -> LineEditor {
    var editor = LineEditor(text)
    for key in keys {
      if let press = KeyPress(parsing: key) { _ = editor.handle(press) }
    }
    return editor
  }

  @Test func editsInTheMiddle() {
    #expect(edited("abc", "Left", "x").text == "abxc")
    #expect(edited("abc", "Home", "Del").text == "bc")
    #expect(edited("abc", "Left", "Backspace").text == "ac")
  }

  @Test func movesAndDeletesByWords() {
    #expect(edited("one two three", "ctrl-w").text == "one two ")
    #expect(edited("one two  ", "ctrl-w").text == "one ")
    #expect(edited("one two", "ctrl-Left", "x").text == "one xtwo")
    #expect(edited("one two", "Home", "ctrl-Right", "x").text == "onex two")
    #expect(edited("one two", "ctrl-Left", "ctrl-u").text == "two")
    #expect(edited("one two", "ctrl-Left", "ctrl-k").text == "one ")
  }

  @Test func graphemesStayWhole() {
    #expect(edited("e\u{301}👩‍👩‍👧", "Backspace").text == "e\u{301}")
    var editor = LineEditor("e")
    editor.insert("\u{301}")
    #expect(editor.caret <= editor.text.count)
    #expect(editor.handle(KeyPress(.backspace)) && editor.text.isEmpty)
  }

  @Test func insertedControlsAreBlanks() {
    var editor = LineEditor()
    editor.insert("a\u{1B}b\r\nc\u{0}")
    #expect(editor.text == "a b c ")
  }

  @Test func doesNotGrowWithoutEnd() {
    var editor = LineEditor()
    editor.insert(String(repeating: "x", count: 100_000))
    #expect(editor.text.count == LineEditor.limit)
  }
}

@Suite struct PlotTests {
  @Test func resamplingKeepsTheSum() {
    let counts = (0..<97).map { $0 * $0 % 31 }
    let total = Double(counts.reduce(0, +))
    for columns in [1, 7, 96, 97, 98, 200] {
      let sum = Plot.resampled(counts, to: columns).reduce(0, +)
      #expect(abs(sum - total) < 1e-6 * total)
    }
    #expect(Plot.resampled([], to: 3) == [0, 0, 0])
  }

  @Test func outliersAreLeftOut() {
    let counts = [1, 0, 0, 500, 9000, 500, 0, 0, 2]
    #expect(Plot.middle(of: counts, leaving: 0.001) == 3..<6)
    #expect(Plot.middle(of: counts, leaving: 0) == 0..<9)
    #expect(Plot.middle(of: [], leaving: 0.1) == 0..<0)
    #expect(Plot.middle(of: [0, 0], leaving: 0.1) == 0..<2)
    #expect(Plot.middle(of: [5], leaving: 1) == 0..<1)
  }

  @Test func fillsFromBelowAndHangsFromAbove() {
    let up = Plot(style: .ascii, direction: .up).cells(
      [1, 0.5, 0], size: Size(columns: 3, rows: 2))
    #expect(up.map { String($0.map(\.glyph)) } == ["#  ", "## "])
    let down = Plot(style: .ascii, direction: .down)
      .cells([1, 0.25, 0], size: Size(columns: 3, rows: 2))
    #expect(down.map { String($0.map(\.glyph)) } == ["#' ", "#  "])
  }

  @Test func brailleHasTwoColumnsOfFourDots() {
    let up = Plot(style: .braille, direction: .up)
      .cells([1, 0.5], size: Size(columns: 1, rows: 1))
    #expect(up[0][0].glyph == "⣧")
    let down = Plot(style: .braille, direction: .down)
      .cells([0.5, 1], size: Size(columns: 1, rows: 1))
    #expect(down[0][0].glyph == "⢻")
  }

  @Test func hangingBlocksAreReversed() {
    let down = Plot(style: .blocks, direction: .down)
      .cells([0.25, 0], size: Size(columns: 2, rows: 1))
    #expect(down[0][0] == Plot.Mark(glyph: "▆", isReversed: true))
    #expect(down[0][1].isReversed == false)
  }

  @Test func whatIsThereIsSeenHoweverSmall() {
    let cells = Plot(style: .braille, direction: .up)
      .cells([1e-9, 0], size: Size(columns: 1, rows: 4))
    #expect(cells[3][0].glyph != " ")
    #expect(cells[0][0].glyph == " ")
  }

  @Test func logarithmsLiftSmallCounts() {
    let linear = Plot.heights([1, 1000], greatest: 1000, isLogarithmic: false)
    let logarithmic = Plot.heights([1, 1000], greatest: 1000, isLogarithmic: true)
    #expect(logarithmic[0] > 50 * linear[0])
    #expect(linear[1] == 1 && logarithmic[1] == 1)
    #expect(Plot.heights([0], greatest: 0, isLogarithmic: true) == [0])
  }
}
