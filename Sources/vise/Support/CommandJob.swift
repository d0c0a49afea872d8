import Engine

/// The jobs that commands ask an engine for; numbers of their own keep any two of one session apart.
enum CommandJob: Int {
  case calibration = 100
  case sensitivity, refinement, preview, comparison, layout, pruning, export, pack
  case evaluation, answer, logits, parting, reading

  var id: JobID { JobID(rawValue) }
}
