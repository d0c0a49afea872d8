import ArgumentParser

/// `vise open`, or just `vise`: the workbench.
struct OpenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "open", abstract: "Opens the workbench.")

  @OptionGroup var model: ModelArgument

  func run() throws {
    throw CommandFailure(status: .failed, message: "the workbench is not built yet")
  }
}
