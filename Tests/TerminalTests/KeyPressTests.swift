import Terminal
import Testing

@Suite struct KeyPressTests {
  @Test(arguments: [
    (KeyPress(.character("q")), "q"), (KeyPress(.character("G")), "G"),
    (KeyPress(.character("r"), .control), "ctrl-r"), (KeyPress(.character(" ")), "space"),
    (KeyPress(.character("x"), .alt), "alt-x"), (KeyPress(.function(3)), "F3"),
    (KeyPress(.backTab), "S-Tab"), (KeyPress(.up, .shift), "S-Up"),
    (KeyPress(.right, [.control, .alt, .shift]), "ctrl-alt-S-Right"),
    (KeyPress(.character("-")), "-"), (KeyPress(.character("-"), .control), "ctrl--"),
    (KeyPress(.character("^")), "^"), (KeyPress(.enter), "Enter"), (KeyPress(.escape), "Esc"),
    (KeyPress(.pageDown), "PgDn"), (KeyPress(.delete), "Del"), (KeyPress(.character("ж")), "ж"),
    (KeyPress(.character(" "), .control), "ctrl-space"), (KeyPress(.insert), "Ins"),
    (KeyPress(.character("F")), "F"), (KeyPress(.character(":")), ":"),
  ])
  func namesReadBack(press: KeyPress, name: String) {
    #expect(press.description == name)
    #expect(KeyPress(parsing: name) == press)
  }

  @Test(arguments: [
    ("^D", KeyPress(.character("d"), .control)), ("C-d", KeyPress(.character("d"), .control)),
    ("Ctrl-D", KeyPress(.character("d"), .control)), ("M-x", KeyPress(.character("x"), .alt)),
    ("shift-tab", KeyPress(.backTab)), ("S-a", KeyPress(.character("A"))),
    ("escape", KeyPress(.escape)), ("pagedown", KeyPress(.pageDown)),
    ("f12", KeyPress(.function(12))),
    ("SPACE", KeyPress(.character(" "))), ("alt--", KeyPress(.character("-"), .alt)),
  ])
  func otherSpellings(name: String, press: KeyPress) {
    #expect(KeyPress(parsing: name) == press)
  }

  @Test(arguments: ["", "nokey", "ctrl-", "F0", "F64", "alt-nokey", "qq"])
  func wrongNames(name: String) {
    #expect(KeyPress(parsing: name) == nil)
  }
}
