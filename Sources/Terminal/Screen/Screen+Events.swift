import Glibc

extension Screen {
  /// Waits for something to happen and returns everything that has, in order.
  ///
  /// - Parameter timeoutMilliseconds: How long to wait at most; nil sleeps until something happens.
  /// - Returns: The events; none if the time has passed.
  public func nextEvents(timeoutMilliseconds: Int? = nil) -> [InputEvent] {
    var batch = EventBatch(events: postponed)
    postponed = []
    let deadline = timeoutMilliseconds.map { ContinuousClock.now + .milliseconds($0) }
    // The bound keeps a flood of input from holding back what is already there.
    for _ in 0..<Self.readsPerBatch {
      let ready = wait(milliseconds: patience(batch, deadline))
      if ready.isTimeout {
        guard decoder.isPending else { break }
        batch.append(decoder.flush())
      }
      if ready.hasSignal { handle(pipe.drain(), &batch) }
      if ready.hasInput { readInput(&batch) }
      batch.append(postponed)
      postponed = []
    }
    return batch.events
  }

  private static let readsPerBatch = 64
  /// How long the rest of a sequence may take that no person types.
  private static let sequenceDelay = 100

  /// The milliseconds to wait for more; nil is without end.
  private func patience(_ batch: EventBatch, _ deadline: ContinuousClock.Instant?) -> Int? {
    if decoder.isPending {
      return decoder.isInsideSequence || awaitsReplies
        ? max(device.escapeDelay, Self.sequenceDelay) : device.escapeDelay
    }
    guard batch.events.isEmpty else { return 0 }
    guard let deadline else { return nil }
    let left = ContinuousClock.now.duration(to: deadline) / Duration.milliseconds(1)
    return max(0, Int(min(left.rounded(.up), Double(Int32.max))))
  }

  private struct Readiness {
    var isTimeout = false
    var hasSignal = false
    var hasInput = false
  }

  private func wait(milliseconds: Int?) -> Readiness {
    var descriptors = [
      pollfd(fd: pipe.readEnd, events: Int16(POLLIN), revents: 0),
      // A negative descriptor is passed over: a terminal that is gone would never let us sleep.
      pollfd(fd: hasInputEnded ? -1 : device.input, events: Int16(POLLIN), revents: 0),
    ]
    let count = poll(&descriptors, 2, Int32(clamping: milliseconds ?? -1))
    // An interrupted wait counts as an empty one: its signal has left a byte in the pipe.
    return Readiness(
      isTimeout: count == 0, hasSignal: count > 0 && descriptors[0].revents != 0,
      hasInput: count > 0 && descriptors[1].revents != 0)
  }

  private func readInput(_ batch: inout EventBatch) {
    guard let bytes = readAvailable(device.input) else {
      hasInputEnded = true
      batch.append([.endOfInput])
      return
    }
    batch.append(decoder.decode(bytes))
    batch.append(takeReplies())
  }

  private func handle(_ numbers: [UInt8], _ batch: inout EventBatch) {
    var handled: Set<UInt8> = []
    for number in numbers where handled.insert(number).inserted {
      switch Int32(number) {
      case 0: batch.append([.wake])
      case SIGWINCH:
        if adoptSize() {
          batch.append([.resize(size)])
        } else {
          redraw()
        }
      case SIGTSTP:
        // A stop that has been taken back in the meantime would last.
        if !numbers.contains(UInt8(SIGCONT)) { stop(wholeGroup: false) }
      case SIGCONT:
        // Stopped by SIGSTOP: whoever had the terminal since then may have changed its settings.
        release()
        takeBack()
        postponed.append(.resumed)
      case let signal: batch.append([.terminate(signal: signal)])
      }
    }
  }
}

/// Events in order, without those that a later one makes pointless.
private struct EventBatch {
  var events: [InputEvent]

  mutating func append(_ more: [InputEvent]) {
    for event in more {
      switch (events.last, event) {
      case (.mouse(let before), .mouse(let now))
      where before.action == .drag && now.action == .drag && before.button == now.button:
        events[events.count - 1] = event
      case (.resize, .resize): events[events.count - 1] = event
      default: events.append(event)
      }
    }
  }
}
