/// What a colour is for; views name roles and never colours.
enum ThemeRole: String, CaseIterable, Hashable, Sendable {
  case text, dim, strong, border, focus, brand, key
  case selection
  case selectionInactive = "selection-inactive"
  case mark, ok, warn, error
  case bits2 = "bits-2"
  case bits3 = "bits-3"
  case bits4 = "bits-4"
  case bits5 = "bits-5"
  case bits6 = "bits-6"
  case bits7 = "bits-7"
  case bits8 = "bits-8"
  case bits16 = "bits-16"
  case reference, compressed, served
  /// The best plans of a plot, the budget, the same scheme everywhere, llama-quantize's mixtures.
  case frontier, budget, uniform, mix
  case match, parted, diverged
  case gauge
  case gaugeEmpty = "gauge-empty"
  case input, popup
  case popupBorder = "popup-border"

  /// The role of a bit width: `bits16` for whatever is not quantized.
  init(bits: Int?) {
    self =
      switch bits {
      case 2: .bits2
      case 3: .bits3
      case 4: .bits4
      case 5: .bits5
      case 6: .bits6
      case 7: .bits7
      case 8: .bits8
      default: .bits16
      }
  }

  /// The least contrast (WCAG 2 ratio, 1 to 21) between glyphs of this role and what is behind.
  var leastContrast: Double {
    switch self {
    case .dim, .reference, .compressed, .served, .gauge, .frontier, .budget, .uniform, .mix: 3
    case .border, .popupBorder: 1.4
    case .gaugeEmpty: 1.2
    default: 4.5
    }
  }

  /// Whether its glyphs stand in overlays.
  var isInPopup: Bool {
    switch self {
    case .text, .dim, .strong, .key, .match, .focus, .ok, .warn, .error: true
    default: false
    }
  }
}
