/// The programs that a recipe's folder carries for machines without Vise, in Python; their sources lie in `Programs`.
enum JobPrograms {
  /// What carries a recipe out, by hand or as a job.
  static let recipe: [FileLayout] = [
    FileLayout(name: "run.py", contents: PackageResources.run_py),
    FileLayout(name: "evaluate.py", contents: PackageResources.evaluate_py),
  ]

  /// What measures sensitivity.
  static let sensitivity: [FileLayout] = [
    FileLayout(name: "sensitivity.py", contents: PackageResources.sensitivity_py)
  ]

  /// What all of these import, and what runs them as the steps of a job.
  static let common: [FileLayout] = [
    FileLayout(name: "windows.py", contents: PackageResources.windows_py),
    FileLayout(name: "job.py", contents: PackageResources.job_py),
    FileLayout(name: "fetch.py", contents: PackageResources.fetch_py),
  ]
}
