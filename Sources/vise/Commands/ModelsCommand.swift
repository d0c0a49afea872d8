import ArgumentParser
import Checkpoints
import Text
import YAML

/// `vise models`: the models that are on this machine.
struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models",
    abstract:
      "Lists the models on this machine: of Hugging Face, Ollama, llama.cpp, LM Studio, or of a folder.",
    discussion: "--json: models[] of name, path (what opens it), home, bytes.")

  @Argument(
    help: "A folder to look in, instead of where programs keep theirs.", completion: .directory)
  var folder: String?

  @Flag(help: "Prints JSON.")
  var json = false

  func run() throws {
    var models: [FoundModel] = []
    if let folder {
      models = ModelFinder.models(in: folder)
    } else {
      ModelFinder(samples: SettingsPlaces.current().samples).find { models += $0 }
    }
    if json {
      try JSONOutput.write(ModelsResult(models: models))
      return
    }
    var table = TextTable(["model", "size", "of", "opens with"], words: [0, 2, 3])
    for model in models {
      table.add([model.name, ByteText.text(model.bytes), model.home.rawValue, model.path])
    }
    OutputStream.standard.write(models.isEmpty ? "No models were found.\n" : table.text)
  }
}

/// What `vise models --json` prints.
private struct ModelsResult: Encodable {
  let models: [FoundModel]
}
