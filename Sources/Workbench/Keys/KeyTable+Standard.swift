import Terminal

extension KeyTable {
  /// The keys as they come; a settings file may change them.
  static let standard = KeyTable(
    entries: changing + choosing + asking + solving + comparing + fitting + chatting + files
      + exporting + moving + program + fields)

  private static let choosing: [KeyEntry] = [
    entry(.mark, ["space"], [.table], "Mark the layer and go to the next", label: "mark", 40),
    entry(.range, ["v"], [.table], "Begin a range at the cursor, or mark it", label: "range", 60),
    entry(.markRole, ["*"], [.table], "Mark all layers of the same role"),
    entry(.markAll, ["a"], [.table], "Mark all layers shown", label: "all", 62),
    entry(.unmark, ["A"], [.table], "Mark no layer"),
    entry(
      .filter, ["/"], [.layers], "Filter by words, globs, re:REGEX or conditions: bits<5 kld>0.01",
      label: "filter", 50),
    entry(
      .columns, ["|"], [.layers], "Choose the table's columns by name; auto shows what has room"),
    entry(.nextMatch, ["n"], [.table], "Go to the next layer that the filter matches"),
    entry(.previousMatch, ["N"], [.table], "Go to the previous layer that the filter matches"),
    entry(.sort, ["S"], [.table], "Sort by the next column, or by ORDER", label: "sort", 64),
    entry(.foldAll, ["-"], [.table], "Fold all blocks"),
    entry(.unfoldAll, ["+", "="], [.table], "Unfold all blocks"),
  ]

  private static let changing: [KeyEntry] = [
    KeyEntry(
      action: .bits,
      bindings: (2...8).compactMap { (width: Int) -> KeyEntry.Binding? in
        KeySequence(String(width)).map { KeyEntry.Binding(keys: $0, argument: String(width)) }
      },
      contexts: [.layers], label: "bits", rank: 10,
      help: "Quantize the marked layers, or the one under the cursor, to that many bits"),
    entry(.keep, ["0"], [.layers], "Keep them as the checkpoint has them", label: "keep", 12),
    entry(.fewerBits, ["["], [.layers], "One bit less"),
    entry(.moreBits, ["]"], [.layers], "One bit more"),
    entry(.group, ["G"], [.layers], "Set the group size", label: "group", 20),
    entry(
      .method, ["m"], [.layers], "Set method, range search, zero points or GGUF block type",
      label: "method", 22),
    entry(.sparsity, ["s"], [.layers], "Set the sparsity: 50%, 2:4 or none", label: "sparsity", 14),
    entry(
      .prune, ["B"], [.layers],
      "Prune to neurons 75% or heads 2, or by blocks 2; none makes the model whole again"),
    entry(
      .target, ["r"], [.layers, .jobs],
      "Plan for transformers, vllm, vllm-cpu or llama.cpp: its bytes, and what it cannot hold"),
    entry(
      .target, ["r"], [.budget], "Choose the server whose files the budget is for",
      label: "target", 5),
    entry(
      .nearest, ["F"], [.layers],
      "Give layers that the target cannot hold the nearest schemes that it can", label: "fit", 96),
    entry(
      .undo, ["u", "z"], undoing + [.chat], "Undo the last change of the plan", label: "undo", 30),
    entry(.redo, ["ctrl-r", "Z"], undoing, "Redo what was undone", label: "redo", 32),
  ]

  private static let asking: [KeyEntry] = [
    entry(
      .prompt, ["p"], [.browsing], "Write a prompt, or send TEXT or what FILE holds",
      label: "prompt", 24),
    entry(
      .run, ["Enter"], [.prompt],
      "Send the prompt to both models; without one, ask the last again", label: "ask both models", 1
    ),
    entry(.newline, ["alt-Enter", "ctrl-j"], [.prompt], "Begin a new line of the prompt"),
    entry(
      .stop, ["ctrl-s"], [.prompt, .chat], "Stop the answers; what there is of them stays",
      label: "stop", 4),
    entry(
      .regenerate, ["ctrl-r"], [.prompt, .chat], "Answer the last prompt anew", label: "again", 3),
    entry(
      .goOn, ["ctrl-o"], [.prompt, .chat],
      "Let answers go on that were stopped, or had as many tokens as allowed", label: "go on", 5),
    entry(.newChat, ["ctrl-n"], [.prompt, .chat], "Begin a new chat", label: "new chat", 6),
    entry(.older, ["<"], [.chat], "Show the chat before this one"),
    entry(.newer, [">"], [.chat], "Show the chat after this one"),
    entry(.system, ["Y"], [.browsing], "Set the system prompt that comes before all turns"),
    entry(.prompts, ["I"], [.browsing], "Ask each prompt of a file: one a line, or a JSON list"),
    entry(
      .serve, ["@"], [.browsing],
      "Let a served model answer prompts too, by URL and name; off ends that"),
    entry(
      .evaluate, ["x"], [.browsing], "Measure PPL and KLD on a text file", label: "evaluate", 26),
    entry(
      .calibrate, ["C"], [.browsing], "Collect what calibrated methods need on a text file",
      label: "calibrate", 92),
    entry(
      .sensitivity, ["X"], [.browsing],
      "Measure what layers' errors cost on a text, open or save that", label: "sensitivity", 94),
    entry(.evaluation, ["E"], [.browsing], "Show the last evaluation"),
    entry(.inspect, ["i"], [.layers], "Show the inspector's next tab, or TAB", label: "tab", 66),
    entry(.logarithmic, ["L"], [.layers], "Switch the histogram between linear and log counts"),
    entry(
      .matrix, ["V"], [.layers],
      "Show blocks by roles: bits, predicted KLD, bytes, error, then the list again",
      label: "matrix", 65),
    entry(.copy, ["y"], [.layers], "Copy the row, or the metrics in the inspector"),
    entry(.copy, ["ctrl-y"], [.prompt], "Copy all turns of the chat", label: "copy", 30),
    entry(.copy, ["y"], [.chat], "Copy all turns of the chat"),
  ]

  private static let chatting: [KeyEntry] = [
    entry(.chat, ["F8"], [.everywhere], "Show the Chat screen", label: "chat", 73),
    entry(
      .part, ["F9"], [.everywhere],
      "Measure the blocks that make both models part on the last answer", label: "blocks", 74),
    entry(
      .view, ["ctrl-t"], [.prompt], "Show tokens, blocks, prompts of a file, or answers alone",
      label: "view", 8),
    entry(
      .view, ["Tab"], [.chat], "Show tokens, blocks, prompts of a file, or answers alone",
      label: "view", 2),
    entry(
      .parting, ["ctrl-g"], [.prompt, .chat], "Go to the token where the answers part",
      label: "parting", 7),
    entry(
      .enter, ["Enter"], [.chat], "Mark the blocks' layers; show the prompt; write", label: "go", 1),
    entry(.left, ["h", "Left"], [.chat], "The token before"),
    entry(.right, ["l", "Right"], [.chat], "The next token"),
    entry(.nextMatch, ["n"], [.chat], "The next token that both models choose differently"),
    entry(.previousMatch, ["N"], [.chat], "The one before that"),
    entry(.swap, ["s"], [.chat], "Read the other model's answer", label: "other answer", 9),
    entry(.mark, ["space"], [.chat], "Pick the block under the cursor"),
    entry(.markAll, ["a"], [.chat], "Pick the blocks that add most, or none", label: "worst", 10),
    entry(.fewerBits, ["["], [.chat], "One bit less for the blocks"),
    entry(.moreBits, ["]"], [.chat], "One bit more for the blocks", label: "more bits", 11),
  ]

  private static let solving: [KeyEntry] = [
    entry(.budget, ["b"], [.budget], "Type a size, bits a weight or a KLD", label: "type", 2),
    entry(
      .budget, ["b"], [.layers, .compare, .history, .hardware, .jobs],
      "Solve for a budget on the Budget screen",
      label: "budget", 28),
    entry(.frontier, ["F3"], [.everywhere], "Show the Budget screen"),
    entry(.apply, ["Enter"], [.budget], "Make the proposal the plan", label: "apply", 1),
    entry(.left, ["h", "Left"], [.budget], "A step less", label: "less", 3),
    entry(.right, ["l", "Right"], [.budget], "A step more", label: "more", 4),
    entry(.smaller, ["H", "S-Left"], [.budget], "Ten steps less"),
    entry(.larger, ["L", "S-Right"], [.budget], "Ten steps more"),
    entry(.smallest, ["Home"], [.budget], "The least budget of the frontier"),
    entry(.largest, ["End"], [.budget], "The most that the frontier needs"),
    entry(.pin, ["P"], [.layers], "Pin layers: the solver keeps their schemes; again frees them"),
    entry(.pin, ["P"], [.budget], "Pin the layer under the cursor, or free it", label: "pin", 10),
    entry(.fuse, ["f"], [.budget], "One scheme for q, k, v and for gate, up", label: "fuse", 12),
    entry(.exact, ["d"], [.budget], "Solve exactly, by dynamic programming", label: "exact", 14),
    entry(
      .versus, ["v"], [.budget], "List changes from the plan, or since the last solve",
      label: "versus", 16),
    entry(.mark, ["space"], [.budget], "Allow the scheme under the cursor, or no longer"),
    entry(.markAll, ["a"], [.budget], "Allow all schemes of its family, or none"),
    entry(
      .refine, ["R"], [.budget], "Measure on a text the layers that cost most: predictions learn",
      label: "refine", 8),
    entry(
      .nextPane, ["Tab"], [.budget], "Show schemes instead of changes, or back", label: "schemes", 6
    ),
  ]

  private static let comparing: [KeyEntry] = [
    entry(
      .snapshot, ["c"], [.browsing], "Keep the plan and its figures as a snapshot",
      label: "snapshot", 56),
    entry(.restore, ["Enter"], [.compare], "Make the snapshot the plan", label: "restore", 1),
    entry(
      .mark, ["space"], [.compare], "Pick the plan to compare it with another", label: "pick", 2),
    entry(
      .measureAll, ["a"], [.compare], "Measure all plans on a text that they were not measured on",
      label: "measure all", 3),
    entry(.rename, ["r"], [.compare], "Rename the snapshot", label: "rename", 5),
    entry(.delete, ["D", "Del"], [.compare], "Delete the snapshot", label: "delete", 6),
    entry(
      .nextPane, ["Tab"], [.compare], "Show answers instead of layers, or back", label: "answers", 4
    ),
    entry(
      .restore, ["Enter"], [.history], "Make the evaluated plan the plan", label: "restore", 1),
  ]

  private static let fitting: [KeyEntry] = [
    entry(
      .apply, ["Enter"], [.hardware], "Solve for the bytes that the machine leaves for weights",
      label: "budget", 1),
    entry(.left, ["h", "Left"], [.hardware], "Half the context", label: "less context", 2),
    entry(.right, ["l", "Right"], [.hardware], "Twice the context", label: "more context", 3),
    entry(.smaller, ["H", "S-Left"], [.hardware], "Half the sequences at once", label: "fewer", 5),
    entry(.larger, ["L", "S-Right"], [.hardware], "Twice the sequences at once", label: "more", 6),
    entry(.context, ["n"], [.hardware], "Fit sequences of so many tokens: 32k"),
    entry(.batch, ["N"], [.hardware], "Fit so many sequences at once"),
    entry(
      .kv, ["K"], [.hardware], "Keep keys and values as the next type, or as f32, f16 or int8",
      label: "kv type", 4),
    entry(.probe, ["r"], [.hardware], "Measure this machine again", label: "measure", 7),
  ]

  private static let undoing: [KeyContext] = [.layers, .budget, .compare, .history, .hardware]

  private static let files: [KeyEntry] = [
    entry(.write, ["w"], [.browsing], "Save the plan, or save it as PATH", label: "write", 36),
    entry(.writeQuit, ["ctrl-q"], [.browsing], "Save the plan and quit"),
    entry(.plan, ["W"], [.browsing], "Open the plan at PATH"),
    entry(.open, ["o"], [.browsing], "Open the checkpoint at PATH", label: "open", 52),
    entry(
      .from, ["J"], [.browsing], "Begin from a quantized file of this model: its layout as the plan"
    ),
    entry(.enter, ["Enter"], [.start], "Open the model", label: "open it", 1),
    entry(.probe, ["r"], [.start], "Look for models again", label: "look again", 3),
    entry(.models, ["O"], [.browsing], "Show the models that are on this machine"),
  ]

  private static let exporting: [KeyEntry] = [
    entry(
      .submit, ["!"], [.browsing],
      "Let a Ray cluster carry the plan out and measure it: URL, MODEL there, gpus=N, work=DIR"),
    entry(
      .export, ["e"], [.browsing], "Export the plan for a server, or a report; to PATH",
      label: "export", 38),
    entry(.accept, ["Enter"], [.export], "Export", label: "export", 1),
    entry(.left, ["h", "Left"], [.export], "The target before"),
    entry(.right, ["l", "Right"], [.export], "The next target", label: "target", 2),
    entry(.export, ["p"], [.export], "Name the file or the directory", label: "path", 3),
    entry(.replace, ["r"], [.export], "Replace what is there, or no longer", label: "replace", 4),
    entry(
      .nearest, ["n"], [.export], "Give layers the nearest schemes that the target can hold",
      label: "nearest", 5),
    entry(.back, ["q"], [.export], "Close the export; what runs goes on"),
  ]

  private static let program: [KeyEntry] = [
    entry(.layers, ["F2"], [.everywhere], "Show the Layers screen"),
    entry(
      .layers, ["F2"], [.budget, .compare, .history, .hardware, .jobs, .chat],
      "Back to the Layers screen",
      label: "layers", 8),
    entry(.compare, ["F4"], [.everywhere], "Show the Compare screen", label: "compare", 69),
    entry(
      .history, ["F5"], [.everywhere],
      "Show every evaluation, also of earlier sessions, or write them into a file",
      label: "history", 70),
    entry(.jobs, ["F6"], [.everywhere], "Show the Jobs screen", label: "jobs", 71),
    entry(.hardware, ["F7"], [.everywhere], "Show the Hardware screen", label: "hardware", 72),
    entry(.command, [":"], [.browsing], "Open the command line", label: "command", 54),
    entry(
      .palette, ["ctrl-p"], [.everywhere], "Find any command by a few letters", label: "palette", 72
    ),
    entry(.help, ["?"], [.browsing], "Show all keys", label: "help", 0),
    entry(.help, ["F1"], [.everywhere], "Show all keys, also while typing"),
    entry(.help, ["F1"], [.prompt], "Show all keys", label: "help", 0),
    entry(.nextTheme, ["t"], [.browsing], "Switch to the next theme"),
    entry(.theme, ["T"], [.browsing], "Pick a theme, or switch to the theme NAME"),
    entry(
      .set, [","], [.browsing],
      "Set temperature, tokens, top-k, top-p, seed, raw, arithmetic, kv-cache, input-sparsity, plot, mouse, links or notify"
    ),
    entry(.mouse, ["M"], [.browsing], "Switch the mouse off, for selecting text, or on"),
    entry(
      .cancel, ["ctrl-c"], [.everywhere],
      "Cancel the job in front, or the one selected; twice quits"),
    entry(.suspend, ["ctrl-z"], [.everywhere], "Suspend; fg comes back"),
    entry(.redraw, ["ctrl-l"], [.everywhere], "Draw the screen afresh"),
    entry(.quit, ["q"], [.browsing], "Quit; asks if the plan is not saved", label: "quit", 90),
  ]

  private static let scrolled: [KeyContext] = [.budget, .compare, .history, .hardware]
  private static let lists: [KeyContext] = [
    .table, .inspector, .jobs, .start, .help, .picker, .export,
  ]

  private static let moving: [KeyEntry] = [
    entry(.up, ["k", "Up"], lists + scrolled + [.chat], "Move up"),
    entry(.down, ["j", "Down"], lists + scrolled + [.chat], "Move down"),
    entry(.left, ["h", "Left"], [.table, .inspector], "Fold the block; previous tab"),
    entry(.right, ["l", "Right"], [.table, .inspector], "Unfold the block; next tab"),
    entry(.pageUp, ["PgUp"], lists + scrolled + [.prompt, .chat], "One page up"),
    entry(.pageDown, ["PgDn"], lists + scrolled + [.prompt, .chat], "One page down"),
    entry(.halfPageUp, ["ctrl-u"], lists + scrolled, "Half a page up"),
    entry(.halfPageDown, ["ctrl-d"], lists + scrolled, "Half a page down"),
    entry(.top, ["g g", "Home"], lists + [.chat], "Go to the first row"),
    entry(.bottom, ["g e", "End"], lists + [.chat], "Go to the last row"),
    entry(
      .nextPane, ["Tab"], [.layers, .jobs, .prompt, .export], "Go to the next pane", label: "pane",
      68),
    entry(.previousPane, ["S-Tab"], [.layers, .jobs, .prompt, .export], "Go to the previous pane"),
    entry(.enter, ["Enter"], [.table, .inspector], "Fold or unfold the block; inspect the layer"),
    entry(
      .back, ["Esc"],
      [
        .layers, .chat, .budget, .compare, .history, .hardware, .start, .jobs, .prompt, .help,
        .picker,
        .export, .line, .palette, .confirmation,
      ],
      "Step back: close, unmark, unfilter; never quits", label: "back", 80),
  ]

  private static let fields: [KeyEntry] = [
    entry(
      .accept, ["Enter"], [.line, .palette, .picker], "Do what the field says", label: "accept", 1),
    entry(.complete, ["Tab"], [.line, .palette], "Take the next completion", label: "complete", 2),
    entry(.completeBack, ["S-Tab"], [.line, .palette], "Take the previous completion"),
    entry(.up, ["Up"], [.line, .palette, .prompt], "Earlier text; choice above"),
    entry(.down, ["Down"], [.line, .palette, .prompt], "Later text; choice below"),
    entry(.back, ["q", "?"], [.help], "Close the help"),
    entry(.filter, ["/"], [.help], "Search the help", label: "search", 1),
  ]

  private static func entry(
    _ action: Action, _ keys: [String], _ contexts: [KeyContext], _ help: String,
    label: String? = nil, _ rank: Int = 100
  ) -> KeyEntry {
    let bindings = keys.compactMap { name in
      KeySequence(name).map { KeyEntry.Binding(keys: $0, argument: nil) }
    }
    return KeyEntry(
      action: action, bindings: bindings, contexts: contexts, label: label, rank: rank, help: help)
  }
}
