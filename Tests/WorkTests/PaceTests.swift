import Testing
import Work

@Suite struct PaceTests {
  private final class Heard {
    var shares: [Double] = []
  }

  @Test func partsTellTheShareOfTheWhole() throws {
    let heard = Heard()
    let pace = Pace { heard.shares.append($0) }
    try pace.tick(0.1)
    let half = pace.part(from: 0.5, to: 1)
    try half.tick(0.5)
    for (letter, pace) in half.part(from: 0, to: 0.5).parts(["a", "b"]) {
      try pace.tick(letter == "a" ? 0 : 1)
    }
    try pace.part(1, of: 4).tick(1)
    #expect(heard.shares == [0.1, 0.75, 0.5, 0.75, 0.5])
  }

  @Test func whoHearsEndsTheWork() throws {
    let pace = Pace { share throws(WorkFailure) in if share > 0.5 { throw .cancelled } }
    try pace.tick(0.5)
    #expect(throws: WorkFailure.cancelled) { try pace.part(from: 0.5, to: 1).tick(0.1) }
  }
}
