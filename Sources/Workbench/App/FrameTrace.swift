import Foundation
import Tensors

/// Writes how long inputs waited for their frame, a line of JSON for each frame that followed some, for `--trace`.
struct FrameTrace {
  private struct Line: Encodable {
    /// Keys, clicks and the like that the frame shows.
    let inputs: Int
    /// From the arrival of the first of them until the frame was written to the terminal.
    let milliseconds: Double
  }

  private let file: FileHandle
  private let clock = ContinuousClock()
  private var inputs = 0
  private var arrival: ContinuousClock.Instant?
  private var lastWait: (began: ContinuousClock.Instant, ended: ContinuousClock.Instant)

  /// A trace into a new file, or one that takes the place of what is there.
  ///
  /// - Throws: ``StorageError`` when nothing can be written there.
  init(path: String) throws(StorageError) {
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let file = FileHandle(forWritingAtPath: path)
    else { throw StorageError(path: path, reason: "cannot be written") }
    self.file = file
    let now = clock.now
    lastWait = (now, now)
  }

  /// Notes that the loop begins to wait.
  mutating func waits() {
    lastWait.began = clock.now
  }

  /// Notes what a wait brought.
  mutating func takes(inputs count: Int) {
    let now = clock.now
    let before = lastWait.ended
    lastWait.ended = now
    guard count > 0 else { return }
    inputs += count
    guard arrival == nil else { return }
    // What was there at once may have come as early as after the wait before.
    let wasThere = now - lastWait.began < .microseconds(200)
    arrival = wasThere ? before : now
  }

  /// Notes that a frame is on its way to the terminal.
  mutating func drew() {
    guard let since = arrival else { return }
    let line = Line(inputs: inputs, milliseconds: (clock.now - since) / .milliseconds(1))
    if let data = try? JSONEncoder().encode(line) {
      try? file.write(contentsOf: data + Data("\n".utf8))
    }
    forget()
  }

  /// Notes that the inputs so far changed nothing on the screen.
  mutating func forget() {
    arrival = nil
    inputs = 0
  }
}
