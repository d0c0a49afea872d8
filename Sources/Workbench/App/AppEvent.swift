import Compression
import Engine
import Fitting
import Inference
import Serving
import Sessions
import Terminal

/// Everything that can change the state of the workbench.
enum AppEvent: Hashable, Sendable {
  case input(InputEvent)
  case engine(EngineEvent)
  case link(LinkEvent)
  case file(FileEvent)
  case machine(MachineEvent)
  case models(ModelsEvent)
  case cluster(ClusterEvent)
}

extension AppEvent {
  /// Whether it is what a person does.
  var isInput: Bool { if case .input = self { true } else { false } }
}

/// What is heard of a job on a cluster, by its id there.
enum ClusterEvent: Hashable, Sendable {
  case sent(String)
  /// It was not taken; one sentence that says why.
  case refused(String, reason: String)
  case news(String, ClusterNews)
  /// It is over, and how it measured its result, if it did.
  case over(String, ClusterJob, EvaluationFile?)
  /// Nothing more is heard of it, or its result cannot be fetched.
  case failed(String, reason: String)
}

/// What the search for models has come to.
enum ModelsEvent: Hashable, Sendable {
  /// Those that were open lately, the latest first.
  case recent([StartEntry])
  /// More that are on the disk.
  case found([StartEntry])
  case done
}

/// What is known of machines now.
enum MachineEvent: Hashable, Sendable {
  /// The machines read from files, and what is wrong with the first file that cannot be read.
  case read([Machine], flaw: String?)
  /// The one that this runs on.
  case measured(Machine)
}

/// What came of reading or writing files.
enum FileEvent: Hashable, Sendable {
  case planRead(path: String, Plan)
  case planUnreadable(path: String, reason: String)
  case planWritten(path: String, Plan)
  /// Nothing was written because there is a file of that name.
  case planExists(path: String)
  /// Nothing was written because the file is no longer what was read of it or written to it.
  case planChanged(path: String)
  case planUnwritable(path: String, reason: String)
  /// The snapshots that were saved of a model; none where nothing was saved. Older ones may be of another model whose
  /// tensors have the same shapes.
  case snapshotsRead(fingerprint: String, [Snapshot], isOlder: Bool = false)
  /// What is saved of a model now: what was to be saved, and what another workbench has saved meanwhile.
  case snapshotsMerged(fingerprint: String, written: [Snapshot], [Snapshot])
  /// They are there and cannot be read: they are left alone.
  case snapshotsUnreadable(fingerprint: String, reason: String)
  case snapshotsUnwritable(reason: String)
  /// What earlier sessions measured of a model.
  case evaluationsRead(fingerprint: String, [PlanEvaluation])
  /// An evaluation is kept now.
  case evaluationKept(fingerprint: String, PlanEvaluation)
  /// The jobs that were sent to clusters in earlier sessions, the newest first.
  case clusterJobsRead(fingerprint: String, [SubmittedJob])
  /// The last session of a model, nil where there is none, and where sensitivity is kept.
  case sessionFound(
    fingerprint: String, FoundSession?, sensitivity: String?, hasSensitivity: Bool)
  /// What is kept cannot be read or written: it is left alone.
  case sessionUnkept(reason: String)
  /// The last change could not be kept; it is tried again.
  case sessionUnwritten(reason: String)
  /// All of the session is kept again.
  case sessionWritten
  /// What was chosen for all sessions, where it was not known at the beginning.
  case choicesFound(KeptChoices)
  /// What a file holds that is asked as one prompt.
  case promptRead(path: String, String)
  /// There is no such file: what was taken for its name is asked.
  case promptIsText(String)
  /// The prompts of a file.
  case promptsRead(path: String, [String])
  case promptsUnreadable(reason: String)
  case textWritten(path: String)
  case textUnwritable(path: String, reason: String)
  /// Names in a directory, directories with a slash at their end; empty if it cannot be read.
  case listed(directory: String, names: [String])
}

/// What a file that is written may take the place of.
enum Overwriting: Hashable, Sendable {
  case nothing
  /// What was read of the file, or written to it, in this session; where that was in an earlier one, a plan that is equal
  /// but for its target.
  case whatIsKnown(Plan)
  case anything
}

/// What an update asks the outside world to do.
enum Effect: Hashable, Sendable {
  case engine(EngineCommand)
  case readPlan(path: String)
  /// Reads a file that is asked as one prompt; `orElse` is what is asked where there is none, nil for a file in any case.
  case readPrompt(path: String, orElse: String?)
  /// Reads prompts that are asked one by one.
  case readPrompts(path: String)
  /// Writes whole files only: under a temporary name first, then renamed.
  case writePlan(Plan, path: String, overwrites: Overwriting)
  /// Reads all that is kept of a model; `older` is the fingerprint of its headers, which earlier versions knew it by.
  case openSession(ModelRecord, older: String?)
  /// Goes on with the session that was found, or begins a new one.
  case chooseSession(goesOn: Bool)
  /// Keeps the state as it is.
  case keepSession(SessionImage)
  case keepEvaluation(PlanEvaluation, fingerprint: String)
  case keepChoice(KeptChoices.Name, String)
  /// Keeps a job that is sent to a cluster, or what is new of it.
  case keepClusterJob(SubmittedJob)
  /// Sends a job to its cluster, and follows it.
  case submitJob(SubmittedJob, ClusterSending)
  case followJob(SubmittedJob)
  /// Asks the cluster to end a job.
  case stopJob(SubmittedJob)
  /// Saves all snapshots of a model, beside those that another workbench has saved meanwhile.
  case writeSnapshots([Snapshot], fingerprint: String)
  /// Writes a new file; one that is there stays.
  case writeText(String, path: String)
  case list(directory: String)
  /// Looks for models: those below a folder first, if one is named.
  case findModels(folder: String?)
  /// Measures this machine, and before that reads the files of others if asked to.
  case measureMachine(readsFiles: Bool)
  /// Puts text into the terminal's clipboard.
  case copy(String)
  case setMouse(Bool)
  /// Lets the terminal open what links lead to, or no longer.
  case setLinks(Bool)
  /// Calls the user if nobody seems to be there.
  case call(String, Attention)
  case suspend
  /// Draws every cell afresh.
  case redraw
  case quit
  /// End because the system says so.
  case end(signal: Int32)
}
