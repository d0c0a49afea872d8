import Foundation

/// What libFuzzer calls with every input; `VISE_FUZZ_TARGET` names the reader that it tries.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start else { return 0 }
  run(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}

private let run: @Sendable ([UInt8]) -> Void = {
  let name = ProcessInfo.processInfo.environment["VISE_FUZZ_TARGET"] ?? ""
  guard let target = FuzzTarget.all[name] else {
    let known = FuzzTarget.all.keys.sorted().joined(separator: " ")
    fatalError("VISE_FUZZ_TARGET is one of: \(known)")
  }
  return target
}()
