import Allocation
import Fitting
import Foundation

@testable import Serving
@testable import Sessions
@testable import Terminal
@testable import Workbench

/// What the program reads for itself: settings, its own files, the terminal and servers.
extension FuzzTarget {
  static func theme(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    let library = ThemeLibrary(
      directories: ["d"], read: { $0 == "d/a.yaml" ? text : nil }, list: { _ in ["a.yaml"] })
    _ = library.all()
  }

  static func keys(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    _ = try? KeySettings.apply(yaml: text, file: "keys.yaml", to: .standard)
  }

  static func machine(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self),
      let machine = try? Machine(yaml: text, file: "m.yaml", id: "m")
    else { return }
    for figure in [machine.bandwidth, machine.arithmetic, machine.cacheRate] {
      require(figure > 0 && figure.isFinite, "a rate that nothing can be divided by")
    }
    require(machine.reserved < machine.memory, "no memory is left")
  }

  static func snapshots(_ bytes: [UInt8]) {
    _ = try? SnapshotFile.snapshots(in: String(decoding: bytes, as: UTF8.self), of: "s.json")
  }

  private static let folder = ScratchFolder("program")

  static func sensitivity(_ bytes: [UInt8]) {
    guard let found = try? Sensitivity(path: folder.write(bytes, to: "s.bin")) else { return }
    let path = "\(folder.path)/again.bin"
    guard (try? found.write(to: path)) != nil else { fatalError("cannot be written") }
    require((try? Sensitivity(path: path)) != nil, "what was written is not read")
  }

  /// Bytes from a terminal, in pieces and at once: both must be the same events.
  static func input(_ bytes: [UInt8]) {
    var whole = InputDecoder()
    let events = whole.decode(bytes) + whole.flush()
    var pieces = InputDecoder()
    var found: [InputEvent] = []
    var place = 0
    while place < bytes.count {
      let size = 1 + Int(bytes[place] & 3)
      found += pieces.decode(bytes[place..<min(place + size, bytes.count)])
      place += size
    }
    found += pieces.flush()
    require(found == events, "pieces make other events")
  }

  /// A server's response: a byte for its kind, then its body in pieces.
  static func events(_ bytes: [UInt8]) {
    guard let kind = bytes.first, let address = try? ServerAddress("http://localhost:1") else {
      return
    }
    let head = HTTPHead(
      status: kind & 1 == 0 ? 200 : 500,
      type: kind & 2 == 0 ? "text/event-stream" : "application/json", location: nil)
    var reader = AnswerReader(address: address, tokenLimit: 16)
    let rest = Array(bytes.dropFirst())
    do throws(ServerFailure) {
      _ = try reader.take(.head(head))
      var place = 0
      while place < rest.count {
        let size = 1 + Int(rest[place] & 15)
        _ = try reader.take(.bytes(Data(rest[place..<min(place + size, rest.count)])))
        place += size
      }
      _ = try reader.finish()
    } catch {
      require(
        !error.description.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" },
        "a failure with controls")
    }
  }
}
