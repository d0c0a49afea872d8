import TestSupport
import Testing
import YAML

@testable import Fitting

struct MachineFileTests {
  private let whole = """
    name: A Card
    kind: gpu
    memory: 24 GiB
    reserved: 0.5 GiB
    bandwidth: 1008 GB/s
    arithmetic: 165.2 TFLOP/s
    reached: {bandwidth: 0.8, arithmetic: 0.5}
    block: 20 us
    watts: 450
    price: 0.4
    sources: [https://example.org/card]
    """

  private func error(_ change: (String) -> String) -> String? {
    do throws(FileError) {
      _ = try Machine(yaml: change(whole), file: "card.yaml", id: "card")
      return nil
    } catch {
      return error.description
    }
  }

  @Test func aFileSaysEverything() throws {
    let machine = try Machine(yaml: whole, file: "card.yaml", id: "card")
    #expect(machine.memory == 24 << 30 && machine.reserved == 1 << 29)
    #expect(machine.bandwidth == 1008e9 && machine.arithmetic == 165.2e12)
    #expect(machine.reached == .init(bandwidth: 0.8, arithmetic: 0.5))
    #expect(machine.secondsABlock == 20e-6 && machine.watts == 450 && machine.price == 0.4)
    #expect(machine.sources == ["https://example.org/card"])
  }

  @Test func mistakesAreNamedWithTheirLine() {
    #expect(
      error { $0 + "\ncolour: red" }?.hasPrefix("card.yaml:12: \"colour\" is none of name, kind")
        == true)
    #expect(
      error { $0.replacing("kind: gpu", with: "kind: toaster") }
        == "card.yaml:2: kind is one of gpu, laptop, board, server")
    #expect(
      error { $0.replacing("24 GiB", with: "lots") }
        == "card.yaml:3: memory is bytes, such as 24 GiB")
    #expect(
      error { $0.replacing("0.5 GiB", with: "30 GiB") }
        == "card.yaml:4: all of the memory is reserved")
    #expect(
      error { $0.replacing("1008 GB/s", with: "1008") }
        == "card.yaml:5: bandwidth is a rate such as 1008 GB/s")
    #expect(
      error { $0.replacing("165.2 TFLOP/s", with: "-1 TFLOP/s") }
        == "card.yaml:6: arithmetic is a rate such as 165 TFLOP/s")
    #expect(
      error { $0.replacing("0.8", with: "1.8") }
        == "card.yaml:7: bandwidth is a number of 0.01 to 1")
    #expect(
      error { $0.replacing("arithmetic: 0.5", with: "speed: 0.5") }
        == "card.yaml:7: \"speed\" is none of bandwidth, arithmetic, cache")
    #expect(
      error { $0.replacing("https://example.org/card", with: "hearsay") }?.hasPrefix(
        "card.yaml:11: a source is an address") == true)
    #expect(
      error { $0.replacing("watts: 450", with: "watts: nan") }?.hasPrefix("card.yaml:9") == true)
    #expect(error { $0.replacing("name: A Card\n", with: "") } == "card.yaml:1: name is missing")
    #expect(error { $0 + "\nwatts: 3" } != nil)
    #expect(error { _ in "- a\n- b" } != nil && error { _ in "" } != nil)
  }

  @Test func machinesThatComeWithTheProgramAreAllRight() {
    let (machines, errors) = MachineLibrary(
      directories: [Repository.path("Machines")]
    ).all()
    #expect(errors.isEmpty && machines.count >= 19)
    #expect(machines.allSatisfy { !$0.sources.isEmpty && $0.bandwidth > 1e9 })
    #expect(machines.first { $0.id == "rtx-4090" }?.bandwidth == 1008e9)
  }

  @Test func onesOwnMachinesGoFirstAndBadOnesAreTold() throws {
    let own = try TemporaryFolder([
      ("card.yaml", Array(whole.replacing("A Card", with: "Mine").utf8)),
      ("bad.yaml", Array("kind: gpu".utf8)), ("notes.txt", []),
    ])
    let installed = try TemporaryFolder([("card.yaml", Array(whole.utf8))])
    let library = MachineLibrary(directories: [own.path, "\(own.path)/missing", installed.path])
    let (machines, errors) = library.all()
    #expect(machines.map(\.name) == ["Mine"])
    #expect(errors.map(\.description) == ["\(own.path)/bad.yaml:1: name is missing"])
    #expect(try library.machine(named: "card").name == "Mine")
    #expect(try library.machine(named: "\(installed.path)/card.yaml").name == "A Card")
    #expect(throws: FileError.self) { _ = try library.machine(named: "abacus") }
    #expect(throws: FileError.self) { _ = try library.machine(named: "bad") }
  }
}

struct MachineProbeTests {
  @Test func thisMachineHasAllFigures() {
    let machine = MachineProbe.run()
    #expect(machine.memory > 1 << 28 && machine.reserved >= 0 && machine.reserved < machine.memory)
    #expect(machine.rates.count == 3)
    #expect(machine.rates.allSatisfy { $0.bytes > 1e6 && $0.operations > 1e6 })
    #expect(
      (machine.cores ?? 0) > 0 && machine.bandwidth >= (machine.rates.map(\.bytes).max() ?? 0))
  }
}
