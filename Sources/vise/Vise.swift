import ArgumentParser

@main
struct Vise: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vise", abstract: "A terminal workbench for compressing language models.")
}
