import Engine

/// Those who do what updates ask for, but for the terminal.
struct OutsideWorld {
  let engine: any EngineLink
  let sessions: SessionKeeper
  private let files: FileWorker
  private let machines: MachineWorker
  private let models: ModelSearchWorker
  private let clusters: ClusterWorker

  init(engine: any EngineLink, sessions: SessionKeeper, inbox: EventInbox) {
    (self.engine, self.sessions) = (engine, sessions)
    models = ModelSearchWorker(recent: { sessions.recentModels() }) { inbox.post(.models($0)) }
    clusters = ClusterWorker { inbox.post(.cluster($0)) }
    machines = MachineWorker { inbox.post(.machine($0)) }
    files = FileWorker { inbox.post(.file($0)) }
  }

  /// Does what an effect asks for, some time soon; what is the terminal's or the loop's is left to them.
  func carryOut(_ effect: Effect) {
    switch effect {
    case .engine(let command): engine.send(command)
    case .readPlan, .readPrompt, .readPrompts, .writePlan, .writeText, .list: files.carryOut(effect)
    case .openSession, .chooseSession, .keepSession, .keepEvaluation, .keepChoice, .writeSnapshots,
      .keepClusterJob:
      sessions.carryOut(effect)
    case .submitJob, .followJob, .stopJob: clusters.carryOut(effect)
    case .findModels(let folder): models.find(folder: folder)
    case .measureMachine(let readsFiles): machines.measure(readsFiles: readsFiles)
    case .copy, .setMouse, .setLinks, .call, .suspend, .redraw, .quit, .end: break
    }
  }

  /// Waits until everything asked for is done.
  func finish() {
    files.finish()
    sessions.finish()
  }
}
