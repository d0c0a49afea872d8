// swift-tools-version: 6.2
import PackageDescription

/// For the two rooms that wrap C behind safe calls; everywhere else pointers are errors.
let wrapping: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]
let strict: [SwiftSetting] = wrapping + [.strictMemorySafety()]

/// Arithmetic and readers are optimised even in debug builds, so that tests run on real models.
let optimised: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
  name: "vise",
  products: [.executable(name: "vise", targets: ["vise"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .target(
      name: "CNcurses",
      exclude: ["terminfo"],
      cSettings: [.define("_GNU_SOURCE"), .define("NCURSES_WIDECHAR", to: "1")],
      linkerSettings: [.linkedLibrary("ncursesw")]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .target(
      name: "CKernels",
      cSettings: [
        .define("_GNU_SOURCE"), .unsafeFlags(["-O3"], .when(configuration: .debug)),
      ]),
    .target(
      name: "Tensors", dependencies: ["CKernels", "COpenBLAS"],
      swiftSettings: wrapping + optimised),
    .target(name: "Text", swiftSettings: strict + optimised),
    .target(
      name: "Checkpoints", dependencies: ["Tensors", "Text"], swiftSettings: strict + optimised),
    .target(
      name: "Tokenization", dependencies: ["Checkpoints", "Text"],
      swiftSettings: strict + optimised),
    .target(
      name: "Compression",
      dependencies: ["Tensors", "Text", .product(name: "Yams", package: "Yams")],
      swiftSettings: strict + optimised),
    .target(
      name: "Inference", dependencies: ["Compression", "Tokenization", "Checkpoints", "Tensors"],
      swiftSettings: strict + optimised),
    .target(
      name: "Allocation", dependencies: ["Inference", "Compression", "Checkpoints", "Tensors"],
      swiftSettings: strict + optimised),
    .target(
      name: "Export",
      dependencies: [
        "Inference", "Compression", "Checkpoints", "Tensors",
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict + optimised),
    .target(
      name: "Serving", dependencies: ["Checkpoints", "Text"], swiftSettings: strict + optimised),
    .target(
      name: "Engine",
      dependencies: [
        "Serving", "Export", "Allocation", "Inference", "Compression", "Tokenization",
        "Checkpoints",
        "Tensors",
      ],
      swiftSettings: strict),
    .target(name: "Terminal", dependencies: ["CNcurses"], swiftSettings: wrapping),
    .target(
      name: "Workbench",
      dependencies: [
        "Engine", "Serving", "Export", "Allocation", "Inference", "Compression", "Checkpoints",
        "Tensors", "Text",
        "Terminal",
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "vise",
      dependencies: [
        "Workbench", "Engine", "Serving", "Export", "Allocation", "Inference", "Compression",
        "Checkpoints",
        "Tensors", "Text",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .target(
      name: "TestSupport", dependencies: ["Compression", "Checkpoints", "Tensors"],
      path: "Tests/TestSupport",
      swiftSettings: strict),
    .testTarget(
      name: "TensorsTests", dependencies: ["Tensors", "CKernels", "TestSupport"],
      exclude: ["Fixtures"],
      swiftSettings: wrapping),
    .testTarget(name: "TextTests", dependencies: ["Text"], swiftSettings: strict),
    .testTarget(
      name: "CheckpointsTests", dependencies: ["Checkpoints", "Tensors", "TestSupport"],
      exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "TokenizationTests", dependencies: ["Tokenization", "Checkpoints", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "CompressionTests", dependencies: ["Compression", "Tensors", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "InferenceTests",
      dependencies: [
        "Inference", "Compression", "Tokenization", "Checkpoints", "Tensors", "TestSupport",
      ],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "AllocationTests",
      dependencies: [
        "Allocation", "Inference", "Compression", "Checkpoints", "Tensors", "TestSupport",
      ],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "ExportTests",
      dependencies: [
        "Export", "Inference", "Compression", "Checkpoints", "Tensors", "Tokenization",
        "TestSupport",
        .product(name: "Yams", package: "Yams"),
      ],
      exclude: ["Fixtures"], swiftSettings: strict),
    .target(
      name: "TestServer", path: "Tests/TestServer", exclude: ["server.py"],
      swiftSettings: wrapping),
    .testTarget(
      name: "ServingTests", dependencies: ["Serving", "TestServer"], swiftSettings: strict),
    .testTarget(
      name: "EngineTests",
      dependencies: [
        "TestServer", "Serving", "Engine", "Export", "Allocation", "Inference", "Compression",
        "Tokenization", "Checkpoints", "Tensors", "TestSupport",
      ],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "TerminalTests", dependencies: ["Terminal", "CNcurses", "TestSupport"],
      swiftSettings: wrapping),
    .testTarget(
      name: "WorkbenchTests",
      dependencies: [
        "Workbench", "Terminal", "Engine", "Serving", "Export", "Allocation", "Inference",
        "Compression", "Checkpoints", "Tensors", "TestSupport",
      ],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests", dependencies: ["vise"], exclude: ["monkey.py"],
      swiftSettings: wrapping),
  ]
)

// Readers of files under libFuzzer: `make fuzz`. No part of other builds.
if Context.environment["VISE_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "Workbench", "Serving", "Terminal", "Allocation", "Tokenization", "Compression",
        "Checkpoints", "Tensors", "Text",
      ], path: "Fuzz/Sources", swiftSettings: wrapping))
}
