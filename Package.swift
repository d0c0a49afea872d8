// swift-tools-version: 6.2
import PackageDescription

/// For the rooms that wrap C behind safe calls; everywhere else pointers are errors.
let wrapping: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]
let strict: [SwiftSetting] = wrapping + [.strictMemorySafety()]

/// Arithmetic and readers are optimised even in debug builds, so that tests run on real models.
let optimised: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")

/// A folder of `Sources` in Swift.
func room(
  _ name: String, uses rooms: [Target.Dependency] = [], embeds files: [String] = [],
  _ settings: [SwiftSetting]
) -> Target {
  .target(
    name: name, dependencies: rooms, resources: files.map { .embedInCode($0) },
    swiftSettings: settings)
}

/// The tests of a room: a folder of `Tests` with what is recorded for it, if anything is, in `Fixtures`.
func tests(
  _ room: String, with rooms: [Target.Dependency] = [], hasFixtures: Bool = true,
  _ settings: [SwiftSetting] = strict
) -> Target {
  .testTarget(
    name: "\(room)Tests", dependencies: [.byName(name: room), "TestSupport"] + rooms,
    exclude: hasFixtures ? ["Fixtures"] : [], swiftSettings: settings)
}

let terminal: Target = .target(
  name: "CNcurses",
  exclude: ["terminfo"],
  cSettings: [.define("_GNU_SOURCE"), .define("NCURSES_WIDECHAR", to: "1")],
  linkerSettings: [.linkedLibrary("ncursesw")])
let blas: Target = .systemLibrary(
  name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])])
let kernels: Target = .target(
  name: "CKernels",
  cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-O3"], .when(configuration: .debug))])

let package = Package(
  name: "vise",
  products: [.executable(name: "vise", targets: ["vise"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    terminal, blas, kernels,
    room("JSON", strict + optimised),
    room("Text", strict + optimised),
    room("YAML", uses: [yams], strict + optimised),
    room("Work", wrapping + optimised),
    room("Links", uses: ["Work"], wrapping + optimised),
    room("Tensors", uses: ["CKernels", "COpenBLAS"], wrapping + optimised),
    room("Checkpoints", uses: ["Tensors", "JSON", "Text"], strict + optimised),
    room("Tokenization", uses: ["Checkpoints", "JSON", "Text"], strict + optimised),
    room("Compression", uses: ["Tensors", "Text", "Work", "YAML", yams], strict + optimised),
    room(
      "Inference", uses: ["Compression", "Tokenization", "Checkpoints", "Tensors", "Work"],
      strict + optimised),
    room(
      "Allocation", uses: ["Inference", "Compression", "Checkpoints", "Tensors", "Work"],
      strict + optimised),
    room(
      "Procedures",
      uses: ["Allocation", "Inference", "Compression", "Checkpoints", "Tensors", "Work"],
      strict + optimised),
    room(
      "Export",
      uses: ["Compression", "Tokenization", "Checkpoints", "Tensors", "JSON", yams],
      embeds: ["run", "evaluate", "sensitivity", "windows", "job", "fetch"].map {
        "Recipes/Programs/\($0).py"
      },
      strict + optimised),
    room(
      "Fitting", uses: ["Export", "Compression", "Checkpoints", "Tensors", "Text", "YAML"],
      strict + optimised),
    room("Serving", uses: ["JSON", "Text"], strict + optimised),
    room(
      "Engine",
      uses: [
        "Serving", "Export", "Procedures", "Allocation", "Inference", "Compression", "Tokenization",
        "Checkpoints", "Tensors", "Links", "Work",
      ], strict),
    room("Terminal", uses: ["CNcurses"], wrapping),
    room(
      "Sessions", uses: ["Allocation", "Inference", "Compression", "Tensors", grdb], strict),
    room(
      "Workbench",
      uses: [
        "Terminal", "Sessions", "Engine", "Serving", "Fitting", "Export", "Allocation", "Inference",
        "Compression", "Tokenization", "Checkpoints", "Tensors", "Links", "Text", "YAML",
      ], strict),
    .executableTarget(
      name: "vise",
      dependencies: [
        "Workbench", "Sessions", "Engine", "Serving", "Fitting", "Export", "Procedures",
        "Allocation",
        "Inference",
        "Compression", "Tokenization", "Checkpoints", "Tensors", "Links", "Text", "YAML",
        argumentParser,
      ],
      swiftSettings: strict),

    .target(
      name: "TestSupport",
      dependencies: ["Inference", "Compression", "Checkpoints", "Tensors", "Work"],
      path: "Tests/TestSupport", swiftSettings: strict),
    .target(
      name: "TestServer", path: "Tests/TestServer", exclude: ["server.py"],
      swiftSettings: wrapping),
    tests("Tensors", with: ["CKernels"], wrapping),
    tests("JSON", hasFixtures: false),
    tests("Text", hasFixtures: false),
    tests("Work", hasFixtures: false),
    tests("Links", hasFixtures: false, wrapping),
    tests("Checkpoints", with: ["Tensors", "JSON"]),
    tests("Tokenization", with: ["Checkpoints", "JSON"]),
    tests("Compression", with: ["Tensors"]),
    tests("Inference", with: ["Compression", "Tokenization", "Checkpoints", "Tensors", "Work"]),
    tests("Allocation", with: ["Inference", "Compression", "Checkpoints", "Tensors", "Work"]),
    tests(
      "Procedures",
      with: ["Allocation", "Inference", "Compression", "Checkpoints", "Tensors", "Work"],
      hasFixtures: false),
    tests(
      "Export",
      with: [
        "Inference", "Compression", "Checkpoints", "Tensors", "Tokenization", "JSON", yams,
      ]),
    tests(
      "Fitting", with: ["Export", "Compression", "Checkpoints", "Tensors", "YAML"],
      hasFixtures: false),
    tests("Serving", with: ["TestServer"], hasFixtures: false),
    tests(
      "Engine",
      with: [
        "TestServer", "Serving", "Export", "Procedures", "Allocation", "Inference", "Compression",
        "Tokenization", "Checkpoints", "Tensors", "Links", "Work",
      ]),
    tests("Terminal", with: ["CNcurses"], hasFixtures: false, wrapping),
    tests(
      "Sessions", with: ["Allocation", "Inference", "Compression", "Tensors", grdb],
      hasFixtures: false),
    tests(
      "Workbench",
      with: [
        "Terminal", "Sessions", "Engine", "Serving", "Fitting", "Export", "Allocation", "Inference",
        "Compression", "Checkpoints", "Tensors", "YAML",
      ]),
    .testTarget(
      name: "EndToEndTests", dependencies: ["vise", "TestSupport"],
      exclude: ["monkey.py", "record.py", "drawing.py", "Scripts"],
      swiftSettings: wrapping),
  ]
)

// Readers of files under libFuzzer: `make fuzz`. No part of other builds.
if Context.environment["VISE_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "Workbench", "Sessions", "Serving", "Terminal", "Fitting", "Allocation",
        "Tokenization", "Compression", "Checkpoints", "Tensors", "Text",
      ], path: "Fuzz/Sources", swiftSettings: wrapping))
}
