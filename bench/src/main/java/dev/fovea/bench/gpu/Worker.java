package dev.fovea.bench.gpu;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.kernels.cuda.Driver;
import dev.fovea.kernels.cuda.JcudaDriver;
import dev.fovea.kernels.ptx.PtxDriver;
import java.io.PrintStream;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * A process of its own that does one piece of the work, because a kernel that fails takes its process with it. It says
 * on its standard output, one line of JSON behind a mark each, which step begins and how it ended.
 */
final class Worker {
  /** In front of what is meant for the process that started this one. */
  static final String MARK = "@evidence ";

  /** What it exits with when the GPU cannot be used by this process any more. */
  static final int BROKEN = 3;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final PrintStream out;
  private final NotingDriver driver;

  /** One step: a case to check or to time, a model. */
  interface Step {
    /** As in {@code gemm.run}. */
    String kernel();

    /** Which one of these. */
    String shape();

    /** Does it, and writes down what was found. */
    void run(NotingDriver driver, ObjectNode result) throws Exception;
  }

  Worker(PrintStream out, Driver driver) {
    this.out = out;
    this.driver = new NotingDriver(driver, name -> say(JSON.createObjectNode().put("launch", name)));
  }

  /**
   * Does its work.
   *
   * @param args task, its subject, the device and the number of the first step to do
   */
  public static void main(String[] args) throws Exception {
    List<Step> steps = Tasks.steps(args[0], args[1]);
    boolean healthy = true;
    try (Driver driver = open(args[2])) {
      healthy = new Worker(System.out, driver).run(steps, Integer.parseInt(args[3]));
    } catch (CudaException e) {
      if (healthy) {
        System.out.println("cannot use the GPU: " + e.getMessage());
      }
      System.exit(BROKEN);
    } catch (RuntimeException | LinkageError | AssertionError e) {
      e.printStackTrace(System.out);
      System.out.println("cannot use the GPU: " + root(e)); // the last line is what is told
      System.exit(BROKEN);
    }
    System.exit(healthy ? 0 : BROKEN);
  }

  /** What everything else followed from, as where a library lacks a function. */
  private static Throwable root(Throwable e) {
    Throwable cause = e.getCause();
    return cause == null ? e : root(cause);
  }

  private static Driver open(String device) {
    if (device.equals("ptx")) {
      return new PtxDriver();
    }
    return JcudaDriver.open(device.equals("cuda") ? 0 : Integer.parseInt(device.substring("cuda:".length())));
  }

  /** Does the steps from one on; whether the GPU can be used still. */
  boolean run(List<Step> steps, int from) {
    say(JSON.createObjectNode()
        .put("steps", steps.size())
        .put("gpu", driver.info().name()));
    for (int i = from; i < steps.size(); i++) {
      Step step = steps.get(i);
      say(message(step).put("begin", i));
      ObjectNode result = message(step).put("end", i);
      long start = System.nanoTime();
      attempt(step, result);
      result.put("seconds", Math.round((System.nanoTime() - start) * 1e-6) * 1e-3);
      boolean healthy = isHealthy();
      say(result);
      if (!healthy) {
        return false;
      }
    }
    say(JSON.createObjectNode().put("done", true));
    return true;
  }

  private void attempt(Step step, ObjectNode result) {
    driver.launched();
    try {
      step.run(driver, result);
      result.put("status", "passed");
    } catch (UnsupportedOperationException e) {
      result.put("status", "unsupported").put("message", text(e));
    } catch (Exception | AssertionError | OutOfMemoryError e) {
      result.put("status", "failed").put("message", text(e));
    }
    Set<String> launched = driver.launched();
    launched.forEach(result.putArray("functions")::add);
  }

  private static String text(Throwable e) {
    return Objects.requireNonNullElse(e.getMessage(), e.toString());
  }

  /** A kernel that failed leaves a context in which every call fails. */
  private boolean isHealthy() {
    try {
      driver.synchronize(0);
      return true;
    } catch (RuntimeException e) {
      return false;
    }
  }

  private static ObjectNode message(Step step) {
    return JSON.createObjectNode().put("kernel", step.kernel()).put("shape", step.shape());
  }

  private void say(ObjectNode message) {
    out.println(MARK + message);
    out.flush();
  }
}
