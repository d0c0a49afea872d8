import Testing

@testable import Terminal

@Suite struct ColorDepthTests {
  @Test(arguments: [
    (["TERM": "xterm-256color", "COLORTERM": "truecolor"], 256, ColorDepth.trueColor),
    (["TERM": "tmux-256color", "COLORTERM": "24bit"], 256, .trueColor),
    (["TERM": "xterm-256color"], 256, .indexed256),
    (["TERM": "xterm-kitty"], 0, .trueColor),
    (["TERM": "alacritty"], 0, .trueColor),
    (["TERM": "xterm-direct"], 0x1000000, .trueColor),
    (["TERM": "xterm"], 8, .ansi8),
    (["TERM": "xterm", "COLORTERM": "truecolor"], 8, .trueColor),
    (["TERM": "xterm-16color"], 16, .ansi16),
    (["TERM": "linux", "COLORTERM": "truecolor"], 8, .ansi8),
    (["TERM": "vt100"], 0, .none),
    (["TERM": "dumb", "COLORTERM": "truecolor"], 0, .none),
    (["TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"], 256, .none),
    (["TERM": "xterm-256color", "NO_COLOR": ""], 256, .indexed256),
    (["TERM": "screen-256color", "COLORTERM": "truecolor", "STY": "1.x"], 256, .indexed256),
    (
      ["TERM": "screen-256color", "COLORTERM": "truecolor", "STY": "1.x", "TMUX": "/t,1,0"], 256,
      .trueColor
    ),
    ([:], 8, .ansi8),
  ])
  func detects(environment: [String: String], colors: Int, depth: ColorDepth) {
    #expect(ColorDepth.detected(environment: environment, terminalColors: colors) == depth)
  }
}

@Suite struct PaletteTests {
  @Test func theFixedPaletteFitsItself() {
    let levels: [UInt8] = [0, 95, 135, 175, 215, 255]
    for (r, red) in levels.enumerated() {
      for (g, green) in levels.enumerated() {
        for (b, blue) in levels.enumerated() {
          let number = UInt8(16 + 36 * r + 6 * g + b)
          #expect(Color.rgb(red, green, blue).fitted(to: .indexed256) == .indexed(number))
        }
      }
    }
    #expect(Color.rgb(118, 118, 118).fitted(to: .indexed256) == .indexed(243))
  }

  @Test(arguments: [
    (Color.rgb(255, 128, 0), ColorDepth.trueColor, FittedColor.rgb(255, 128, 0)),
    (.rgb(255, 128, 0), .indexed256, .indexed(208)),
    (.rgb(250, 10, 5), .ansi16, .indexed(9)),
    (.rgb(10, 10, 12), .ansi8, .indexed(0)),
    (.rgb(255, 128, 0), .none, .terminalDefault),
    (.ansi(200), .indexed256, .indexed(15)),
    (.ansi(3), .none, .terminalDefault),
    (.terminalDefault, .trueColor, .terminalDefault),
  ])
  func fits(color: Color, depth: ColorDepth, fitted: FittedColor) {
    #expect(color.fitted(to: depth) == fitted)
  }

  @Test func readsHexadecimalColors() {
    #expect(Color(hex: "#ff8000") == .rgb(255, 128, 0))
    for wrong in ["ff8000", "#ff800", "#ff80000", "#+f8000", "#gg8000", ""] {
      #expect(Color(hex: wrong) == nil)
    }
  }
}

@Suite struct OKLabTests {
  /// Values published with the definition of OKLab, through sRGB's matrix from XYZ.
  @Test(
    arguments: [
      ((255, 255, 255), (1.0, 0.0, 0.0)), ((255, 0, 0), (0.6280, 0.2249, 0.1258)),
      ((0, 255, 0), (0.8664, -0.2339, 0.1795)), ((0, 0, 255), (0.4520, -0.0325, -0.3115)),
    ] as [((UInt8, UInt8, UInt8), (Float, Float, Float))])
  func knownValues(rgb: (UInt8, UInt8, UInt8), lab: (Float, Float, Float)) {
    let color = OKLab(red: rgb.0, green: rgb.1, blue: rgb.2)
    #expect(abs(color.lightness - lab.0) < 0.001)
    #expect(abs(color.a - lab.1) < 0.001)
    #expect(abs(color.b - lab.2) < 0.001)
  }

  @Test func roundTrips() {
    for red in stride(from: UInt8(0), through: 255, by: 51) {
      for green in stride(from: UInt8(0), through: 255, by: 51) {
        for blue in stride(from: UInt8(0), through: 255, by: 51) {
          #expect(
            OKLab(red: red, green: green, blue: blue).color == .rgb(red, green, blue))
        }
      }
    }
  }

  @Test func mixesBetweenTheEnds() {
    let black = OKLab(red: 0, green: 0, blue: 0)
    let white = OKLab(red: 255, green: 255, blue: 255)
    #expect(black.mixed(with: white, fraction: 0).color == .rgb(0, 0, 0))
    #expect(black.mixed(with: white, fraction: 1).color == .rgb(255, 255, 255))
    #expect(abs(black.mixed(with: white, fraction: 0.25).lightness - 0.25) < 0.001)
  }
}
