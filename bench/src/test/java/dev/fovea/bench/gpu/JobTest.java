package dev.fovea.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Processes that do what those on a GPU may do: die, hang, refuse. */
class JobTest {
  private final List<String> log = new ArrayList<>();

  private static long inSeconds(double seconds) {
    return System.nanoTime() + (long) (seconds * 1e9);
  }

  /** A process that says these things. */
  private static List<String> shell(String... lines) {
    return List.of("sh", "-c", String.join("\n", lines));
  }

  private static String say(String message) {
    return "echo '" + Worker.MARK + message + "'";
  }

  @Test
  void aDeathFailsItsStepAndTheRestGoesOn() throws InterruptedException {
    String[] first = {
      say("{\"steps\":3}"),
      say("{\"begin\":0,\"kernel\":\"a\",\"shape\":\"1\"}"),
      say("{\"end\":0,\"kernel\":\"a\",\"shape\":\"1\",\"status\":\"passed\"}"),
      say("{\"begin\":1,\"kernel\":\"b\",\"shape\":\"2\"}"),
      say("{\"launch\":\"gemm/product\"}"),
      "echo something broke",
      "exit 9"
    };
    String[] second = {
      say("{\"steps\":3}"),
      say("{\"begin\":2,\"kernel\":\"c\",\"shape\":\"3\"}"),
      say("{\"end\":2,\"kernel\":\"c\",\"shape\":\"3\",\"status\":\"passed\"}"),
      say("{\"done\":true}")
    };
    Job job = new Job("test", from -> from == 0 ? shell(first) : shell(second), log::add);
    job.run(inSeconds(60));
    assertEquals(
        List.of("passed", "failed", "passed"),
        job.results().stream().map(r -> r.get("status").asText()).toList());
    assertEquals(
        "the process ended with exit code 9: something broke",
        job.results().get(1).get("message").asText());
    assertEquals("[\"gemm/product\"]", job.results().get(1).get("functions").toString());
    assertEquals(0, job.notReached());
    assertNull(job.problem());
    assertTrue(log.contains("[test] something broke"), log.toString());
  }

  @Test
  void timeThatIsUpLeavesTheRestUndone() throws InterruptedException {
    Job job = new Job(
        "test",
        from -> shell(
            say("{\"steps\":5}"),
            say("{\"begin\":0,\"kernel\":\"a\",\"shape\":\"1\"}"),
            say("{\"end\":0,\"kernel\":\"a\",\"shape\":\"1\",\"status\":\"passed\"}"),
            say("{\"begin\":1,\"kernel\":\"b\",\"shape\":\"2\"}"),
            "exec sleep 60"),
        log::add);
    job.run(inSeconds(2));
    assertEquals(1, job.results().size());
    assertEquals(4, job.notReached());
  }

  @Test
  void whatCannotBeginSaysWhy() throws InterruptedException {
    Job refused = new Job("test", from -> shell("echo no GPU here", "exit 4"), log::add);
    refused.run(inSeconds(60));
    assertEquals("no GPU here", refused.problem());
    Job missing = new Job("test", from -> List.of("./no-such-program"), log::add);
    missing.run(inSeconds(60));
    assertTrue(String.valueOf(missing.problem()).contains("no-such-program"), missing.problem());
  }
}
