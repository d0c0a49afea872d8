/// What the environment says of the terminal's ground, where the terminal itself does not answer.
enum GroundGuess {
  /// Whether `COLORFGBG`, which rxvt and Konsole set to numbers such as `0;15` or `0;default;15`, names a light ground; nil
  /// where it says nothing.
  static func isLight(in environment: [String: String]) -> Bool? {
    guard let last = environment["COLORFGBG"]?.split(separator: ";").last,
      let number = Int(last), (0...15).contains(number)
    else { return nil }
    return number == 7 || number > 8
  }
}
