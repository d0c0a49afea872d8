extension [Int] {
  /// Numbers that a sentence lists before it only counts.
  private static var mostListed: Int { 12 }

  /// Experts by their numbers, as a sentence begins with them: `experts 3, 17 and 41`; not empty.
  public var names: String {
    let numbers = map(String.init)
    guard let last = numbers.last, count > 1 else { return "expert " + numbers.joined() }
    guard count <= Self.mostListed else {
      return "experts " + numbers.prefix(Self.mostListed).joined(separator: ", ")
        + " and \(count - Self.mostListed) more"
    }
    return "experts \(numbers.dropLast().joined(separator: ", ")) and \(last)"
  }
}
