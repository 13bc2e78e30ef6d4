package dev.fovea.vit.cli;

import java.util.concurrent.CountDownLatch;

/** Ctrl-C: the JVM waits until the step is done and the checkpoint written; then it exits as signals say, with 130. */
final class Interrupt implements AutoCloseable {
  private final CountDownLatch finished = new CountDownLatch(1);
  private final Thread hook = new Thread(this::await, "fovea-interrupt");
  private volatile boolean requested;

  Interrupt() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  boolean requested() {
    return requested;
  }

  private void await() {
    requested = true;
    if (finished.getCount() > 0) {
      System.err.println("\nstopping after this step, which may take a moment");
    }
    try {
      finished.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Lets the JVM go. */
  @Override
  public void close() {
    finished.countDown();
    if (!requested) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The JVM is on its way out already.
      }
    }
  }
}
