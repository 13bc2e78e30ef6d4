package dev.fovea.bench.report;

/** How long each subject is measured, and how many there are. */
public enum Effort {
  /** One process each, the smallest choice of sizes: a look, with wide error bars. */
  QUICK(1, 2, 250, 3, 150),
  /** Three processes each. */
  NORMAL(3, 2, 300, 3, 200),
  /** Five processes each, every size. */
  FULL(5, 3, 400, 4, 400);

  private final int forks;
  private final int warmups;
  private final int warmupMillis;
  private final int iterations;
  private final int iterationMillis;

  Effort(int forks, int warmups, int warmupMillis, int iterations, int iterationMillis) {
    this.forks = forks;
    this.warmups = warmups;
    this.warmupMillis = warmupMillis;
    this.iterations = iterations;
    this.iterationMillis = iterationMillis;
  }

  /** Processes. */
  public int forks() {
    return forks;
  }

  /** Iterations of each process before those that count. */
  public int warmups() {
    return warmups;
  }

  /** The least milliseconds of each of them. */
  public int warmupMillis() {
    return warmupMillis;
  }

  /** Iterations that count. */
  public int iterations() {
    return iterations;
  }

  /** The least milliseconds of each of them. */
  public int iterationMillis() {
    return iterationMillis;
  }

  /** Seconds of one process, its start included. */
  double secondsOfFork() {
    return 1.2 + 1e-3 * (warmups * warmupMillis + iterations * iterationMillis);
  }
}
