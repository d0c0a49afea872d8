import Foundation
import Terminal
import Testing
import YAML

@testable import Workbench

@Suite struct ThemeTests {
  private static let shipped = ["dark", "light", "high-contrast", "ansi", "mono"]

  private static let library = ThemeLibrary(
    directories: [repository.appending(path: "Themes").path],
    read: { try? String(contentsOfFile: $0, encoding: .utf8) },
    list: { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] })

  /// A library of files that only exist here.
  private func library(_ files: [String: String]) -> ThemeLibrary {
    ThemeLibrary(
      directories: ["t"], read: { files[String($0.dropFirst(2))] }, list: { _ in Array(files.keys) }
    )
  }

  @Test func allShippedThemesAreSound() {
    let (themes, errors) = Self.library.all()
    #expect(errors.map(\.description) == [])
    #expect(themes.map(\.name) == Self.shipped)
  }

  /// Which colours the terminal's own sixteen are nobody knows: under the cursor all glyphs have the selection's, and bold,
  /// which may be brighter, makes none of them paler.
  @Test(arguments: shipped, [ColorDepth.ansi16, .ansi8])
  func figuresAreLegibleUnderTheCursor(_ name: String, _ depth: ColorDepth) throws {
    let palette = try Self.library.theme(named: name).palette(at: depth)
    for role in ThemeRole.allCases {
      let selected = palette.selected(palette[role])
      #expect(selected.foreground == palette[.selection].foreground, "\(role)")
      for style in [palette[role], selected] {
        let pales =
          style.foreground == .ansi(0) || [.ansi(7), .ansi(15)].contains(style.background)
        #expect(!pales || !style.attributes.contains(.bold), "\(role)")
      }
    }
  }

  @Test(arguments: shipped)
  func everyRoleResolvesAtEveryDepth(_ name: String) throws {
    let theme = try Self.library.theme(named: name)
    for depth in ColorDepth.allCases {
      let palette = theme.palette(at: depth)
      #expect(palette[.selection] != palette[.text], "\(depth)")
      #expect(palette[.diverged].attributes.contains(.underline))
      for role in ThemeRole.allCases where depth == .none {
        #expect(palette[role].foreground == .terminalDefault)
        #expect(palette[role].background == .terminalDefault)
      }
    }
  }

  @Test(arguments: shipped)
  func selectionIsSeenWithoutColour(_ name: String) throws {
    let palette = try Self.library.theme(named: name).palette(at: .none)
    #expect(palette[.selection].attributes.contains(.reverse))
    #expect(palette[.parted].attributes.contains(.reverse))
    #expect(!palette[.selectionInactive].attributes.isEmpty)
  }

  @Test(arguments: shipped)
  func contrast(_ name: String) throws {
    let theme = try Self.library.theme(named: name)
    #expect(theme.contrastFlaws() == [])
    let text = theme.palette(at: .trueColor)[.text]
    if let ratio = text.foreground.contrast(with: text.background) { #expect(ratio >= 7) }
  }

  @Test func whatIsCompiledInEqualsTheFiles() throws {
    #expect(try Self.library.theme(named: "ansi") == Theme.ansi)
    #expect(try Self.library.theme(named: "mono") == Theme.mono)
  }

  @Test func withoutFilesTheCompiledInThemesAreLeft() {
    let (themes, errors) = library([:]).all()
    #expect(themes.map(\.name) == ["ansi", "mono"])
    #expect(errors.isEmpty)
  }

  @Test func contrastAgreesWithWCAGExamples() {
    let white = Color.rgb(255, 255, 255)
    #expect(white.contrast(with: .rgb(0, 0, 0)).map { ($0 * 10).rounded() } == 210)
    #expect(white.contrast(with: .rgb(0x76, 0x76, 0x76)).map { ($0 * 100).rounded() } == 454)
    #expect(white.contrast(with: .terminalDefault) == nil)
  }

  @Test func aThemeMayInheritAndExchangeColours() throws {
    let dark = try String(
      contentsOf: repository.appending(path: "Themes/dark.yaml"), encoding: .utf8)
    let mine = "name: mine\ninherits: dark\npalette:\n  accent: \"#ffffff\"\n"
    let theme = try library(["dark.yaml": dark, "mine.yaml": mine]).theme(named: "mine")
    #expect(theme.palette(at: .trueColor)[.focus].foreground == .rgb(255, 255, 255))
  }

  @Test(arguments: [
    ("name: x\nrolls: {}\n", "t/x.yaml:2: \"rolls\" is none of"),
    ("name: x\ninherits: mono\nroles:\n  txet: red\n", "t/x.yaml:4: unknown role \"txet\""),
    ("name: x\nroles:\n  text: default\n", "t/x.yaml: role \"dim\" is missing"),
    ("name: x\ninherits: mono\nroles:\n  dim: \"#12345\"\n", "t/x.yaml:4: bad colour \"#12345\""),
    (
      "name: x\ninherits: mono\nroles:\n  dim: { attributes: loud }\n",
      "t/x.yaml:4: unknown attribute \"loud\""
    ),
    (
      "name: x\ninherits: mono\nroles:\n  dim: { fg: \"#222222\", bg: \"#000000\" }\n",
      "t/x.yaml:4: too little contrast: dim on its background has 1.3"
    ),
    (
      "name: x\ninherits: mono\nroles:\n  dim: bright-black\n",
      "t/x.yaml:4: dim may be invisible"
    ),
    ("name: x\ninherits: none\n", "t/x.yaml:2: there is no theme \"none\" to inherit"),
    ("name: x\ninherits: x\n", "t/x.yaml:2: the theme inherits itself"),
    ("roles: {}\n", "t/x.yaml:1: the theme has no name"),
    ("name: [\n", "t/x.yaml:"),
    ("name: x\nname: y\n", "t/x.yaml:"),
    (
      "name: x\ninherits: mono\npalette:\n  a: { 16: red }\nroles:\n  dim: a\n",
      "t/x.yaml:4: a colour"
    ),
  ])
  func mistakesAreNamedWithTheirLine(_ yaml: String, _ message: String) throws {
    let mono = try String(
      contentsOf: repository.appending(path: "Themes/mono.yaml"), encoding: .utf8)
    do {
      _ = try library(["x.yaml": yaml, "mono.yaml": mono]).theme(named: "x")
      Issue.record("no error for \(yaml)")
    } catch {
      #expect(error.description.hasPrefix(message), "\(error)")
    }
  }

  @Test func heatIsMixedBetweenItsColours() throws {
    let dark = try Self.library.theme(named: "dark").palette(at: .trueColor)
    let ends = [dark.heat(0), dark.heat(0.25), dark.heat(1), dark.heat(.nan)]
    #expect(Set(ends.map(\.foreground)).count == 3)
    #expect(Theme.mono.palette(at: .trueColor).heat(1) == Theme.mono.palette(at: .trueColor)[.text])
  }

  @Test func looksForThemesWhereUsersAndInstallersPutThem() {
    let surroundings = Surroundings(
      environment: ["XDG_CONFIG_HOME": "/config", "HOME": "/home/me"],
      executableDirectory: "/usr/local/bin")
    #expect(
      surroundings.themeDirectories.prefix(2) == [
        "/config/vise/themes", "/usr/local/bin/../share/vise/themes",
      ])
    let plain = Surroundings(environment: ["HOME": "/home/me"], executableDirectory: nil)
    #expect(plain.themeDirectories == ["/home/me/.config/vise/themes"])
  }
}
