import Engine
import Work
import Testing

@Suite struct MailboxTests {
  @Test func takesWhatArrivedInOrder() {
    let box = Mailbox<Int>()
    #expect(box.take() == [])
    box.post(1)
    box.post(2)
    #expect(box.take() == [1, 2])
    #expect(box.take() == [])
  }

  @Test func waitingEndsWithAMessageFromAnotherThread() {
    let box = Mailbox<Int>()
    let answers = Mailbox<Int>()
    BackgroundThread {
      var sum = 0
      while sum < 500_500 { sum += box.waitAndTake().reduce(0, +) }
      answers.post(sum)
    }
    for number in 1...1000 { box.post(number) }
    #expect(answers.waitAndTake() == [500_500])
  }
}
