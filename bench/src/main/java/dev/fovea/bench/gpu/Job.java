package dev.fovea.bench.gpu;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Work in a process of its own, {@linkplain Worker step by step}. Where the process dies or hangs, the step that it was
 * at has failed, and another process goes on with the next.
 */
final class Job {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long SILENCE_SECONDS = 90;
  private static final int MOST_DEATHS = 12;

  /** In the queue when a process has ended its output. */
  private static final String END = "\0end";

  private final String name;
  private final IntFunction<List<String>> command;
  private final Consumer<String> log;
  private final List<ObjectNode> results = new ArrayList<>();

  private int next;
  private int steps = -1;
  private int deaths;
  private @Nullable ObjectNode begun;
  private boolean done;
  private boolean late;
  private String last = "";

  /**
   * Not started yet.
   *
   * @param command what to run, from the number of the first step
   * @param log takes every line that is printed
   */
  Job(String name, IntFunction<List<String>> command, Consumer<String> log) {
    this.name = name;
    this.command = command;
    this.log = log;
  }

  String name() {
    return name;
  }

  /** What the steps came to, in their order. */
  List<ObjectNode> results() {
    return results;
  }

  /** Steps that time did not suffice for, or that too many deaths were in the way of. */
  int notReached() {
    return Math.max(0, steps - results.size());
  }

  /** Why nothing could be done at all; null if something was, or only time was missing. */
  @Nullable
  String problem() {
    return results.isEmpty() && !done && !late ? last : null;
  }

  /** Runs until the end, or until this moment of {@link System#nanoTime}. */
  void run(long deadline) throws InterruptedException {
    while (!done && deaths < MOST_DEATHS && System.nanoTime() < deadline) {
      int before = next;
      int exit = process(deadline);
      late = System.nanoTime() >= deadline;
      if (done || late) {
        return;
      }
      ObjectNode step = begun;
      if (step != null) {
        fail(step, exit);
      } else if (next == before) {
        log.accept("[" + name + "] the process ended with exit code " + exit + " before it began");
        return;
      }
      deaths++;
    }
  }

  private void fail(ObjectNode step, int exit) {
    ObjectNode result = step.deepCopy();
    result.remove("begin");
    result
        .put("end", next)
        .put("status", "failed")
        .put(
            "message",
            exit == Integer.MIN_VALUE
                ? "no answer for " + SILENCE_SECONDS + " seconds"
                : "the process ended with exit code " + exit + ": " + last);
    results.add(result);
    next++;
    begun = null;
  }

  /** One process; its exit code, or the smallest number if it had to be killed. */
  private int process(long deadline) throws InterruptedException {
    Process process;
    try {
      process =
          new ProcessBuilder(command.apply(next)).redirectErrorStream(true).start();
    } catch (IOException e) {
      last = String.valueOf(e.getMessage());
      log.accept("[" + name + "] " + last);
      return -1;
    }
    BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    Thread.ofPlatform().daemon().start(() -> read(process, lines));
    try {
      while (true) {
        long silence = TimeUnit.SECONDS.toNanos(SILENCE_SECONDS);
        long patience = Math.min(silence, deadline - System.nanoTime());
        String line = lines.poll(Math.max(0, patience), TimeUnit.NANOSECONDS);
        if (line == null) {
          return Integer.MIN_VALUE;
        }
        if (line.equals(END)) {
          return process.waitFor();
        }
        take(line);
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static void read(Process process, BlockingQueue<String> lines) {
    try (BufferedReader in = process.inputReader(StandardCharsets.UTF_8)) {
      in.lines().forEach(lines::add);
    } catch (IOException | RuntimeException e) {
      // The process was killed.
    }
    lines.add(END);
  }

  private void take(String line) {
    log.accept("[" + name + "] " + line);
    if (!line.startsWith(Worker.MARK)) {
      last = line.isBlank() || line.startsWith("WARNING: Using incubator") ? last : line;
      return;
    }
    ObjectNode message;
    try {
      message = (ObjectNode) JSON.readTree(line.substring(Worker.MARK.length()));
    } catch (IOException | ClassCastException e) {
      return;
    }
    if (message.has("steps")) {
      steps = message.get("steps").intValue();
    } else if (message.has("begin")) {
      begun = message;
      next = message.get("begin").intValue();
    } else if (message.has("launch")) {
      if (begun != null) {
        begun.withArray("functions").add(message.get("launch").textValue());
      }
    } else if (message.has("end")) {
      results.add(message);
      begun = null;
      next = message.get("end").intValue() + 1;
    } else if (message.has("done")) {
      done = true;
    }
  }
}
