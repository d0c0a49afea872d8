import FoundationEssentials

/// Where programs keep the models that people call by name.
package struct ModelHomes: Sendable {
  /// Hugging Face's cache.
  let hub: HubCache
  /// Ollama's stores: that of the person, then that of the service.
  let ollama: [OllamaStore]
  /// Folders of GGUF files that llama.cpp downloads.
  let llamaCpp: [String]
  /// LM Studio's folders, of a publisher's folders of models.
  let lmStudio: [String]

  /// The folders that the programs themselves would use.
  ///
  /// - Parameter environment: The variables by which they are told others.
  package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    func value(_ names: String...) -> String? {
      names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    }
    let home = value("HOME") ?? "/"
    let cache = value("XDG_CACHE_HOME") ?? "\(home)/.cache"
    let hugging = value("HF_HOME") ?? "\(cache)/huggingface"
    hub = HubCache(path: value("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") ?? "\(hugging)/hub")
    let stores = value("OLLAMA_MODELS").map { [$0] }
    ollama = (stores ?? ["\(home)/.ollama/models", "/usr/share/ollama/.ollama/models"]).map {
      OllamaStore(path: $0)
    }
    llamaCpp = [value("LLAMA_CACHE") ?? "\(cache)/llama.cpp"]
    lmStudio = ["\(home)/.lmstudio/models", "\(cache)/lm-studio/models"]
  }
}
