package dev.fovea.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.ptx.PtxDriver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A small run on the PTX machine, from the command line to the file. */
class GpuRunTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void kernelsAreCheckedAndTheFileSaysSo(@TempDir Path folder) throws IOException {
    assumeTrue(new KernelBinary("random").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
    int exit = new CommandLine(new GpuRun())
        .execute(
            "--device=ptx",
            "--families=random",
            "--only=random.keep 7 ",
            "--stages=checks",
            "--processes=2",
            "--minutes=1",
            "--out=" + folder);
    String log = Files.readString(folder.resolve("ptx-machine.log"));
    assertEquals(0, exit, log);
    JsonNode evidence = JSON.readTree(folder.resolve("ptx-machine.json").toFile());
    assertTrue(evidence.path("emulated").booleanValue());
    assertEquals(1, evidence.path("kernels").size(), log);
    JsonNode kernel = evidence.path("kernels").get(0);
    assertEquals("random_fill", kernel.path("kernel").asText());
    assertEquals(16, kernel.path("sources").asText().length());
    assertTrue(kernel.path("cases").intValue() > 0);
    assertTrue(Files.size(folder.resolve("ptx-machine.cases.jsonl")) > 0);
  }

  @Test
  void whatFailsIsWrittenDownAndTheNextStepIsDone() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    List<Worker.Step> steps = List.of(
        new TestStep("wrong", () -> {
          throw new AssertionError("1 of 2 values out of tolerance");
        }),
        new TestStep("absent", () -> {
          throw new UnsupportedOperationException("no form for GPUs");
        }),
        new TestStep("right", () -> {}));
    try (PtxDriver driver = new PtxDriver()) {
      assertTrue(new Worker(new PrintStream(out, true, StandardCharsets.UTF_8), driver).run(steps, 0));
    }
    List<String> ends = out.toString(StandardCharsets.UTF_8)
        .lines()
        .filter(line -> line.contains("\"end\""))
        .toList();
    assertEquals(3, ends.size());
    assertTrue(ends.get(0).contains("\"status\":\"failed\",\"message\":\"1 of 2 values out of tolerance\""));
    assertTrue(ends.get(1).contains("\"status\":\"unsupported\""));
    assertTrue(ends.get(2).contains("\"status\":\"passed\""));
  }

  private record TestStep(String shape, Runnable work) implements Worker.Step {
    @Override
    public String kernel() {
      return "test";
    }

    @Override
    public void run(NotingDriver driver, ObjectNode result) {
      work.run();
    }
  }

  /** What was found before stays until it is found anew. */
  @Test
  void anEarlierFileIsGoneOnFrom(@TempDir Path folder) throws IOException, InterruptedException {
    Evidence first = evidence("2026-01-01T00:00:00Z");
    first.add("times", job("gemm.run", "NT 8x8x8", "\"flops\":2e12,\"bytes\":1,\"micros\":1e6"));
    first.add("limits", job("gemm", "F32", "\"flops\":4e12,\"bytes\":1,\"micros\":1e6"));
    first.write(folder);
    Evidence second = evidence("2026-01-02T00:00:00Z");
    second.readEarlier(folder.resolve("some-gpu.json"));
    second.add("times", job("gemm.run", "NT 9x9x9", "\"flops\":1e12,\"bytes\":1,\"micros\":1e6"));
    second.addPeers(job("gemm.run", "NT 9x9x9", "\"peers\":{\"PyTorch\":5e5}"));
    second.write(folder);
    JsonNode times = JSON.readTree(folder.resolve("some-gpu.json").toFile()).path("times");
    assertEquals(2, times.size());
    assertEquals("2026-01-01T00:00:00Z", times.get(0).path("date").asText());
    assertEquals(2, times.get(0).path("rate").doubleValue());
    assertEquals(0.5, times.get(0).path("ofLimit").doubleValue());
    assertEquals("2026-01-02T00:00:00Z", times.get(1).path("date").asText());
    assertEquals(0.25, times.get(1).path("ofLimit").doubleValue());
    assertEquals(5e5, times.get(1).path("peers").path("PyTorch").doubleValue());
  }

  private static Evidence evidence(String date) {
    return new Evidence(Instant.parse(date), JSON.createObjectNode().put("name", "Some GPU"), false);
  }

  private static Job job(String kernel, String shape, String fields) throws InterruptedException {
    String end = "{\"end\":0,\"kernel\":\"%s\",\"shape\":\"%s\",\"status\":\"passed\",\"functions\":[],%s}"
        .formatted(kernel, shape, fields);
    String text = Stream.of(end, "{\"done\":true}")
        .map(message -> "echo '" + Worker.MARK + message + "'")
        .reduce((a, b) -> a + "\n" + b)
        .orElseThrow();
    Job job = new Job("test", from -> List.of("sh", "-c", text), line -> {});
    job.run(System.nanoTime() + 60_000_000_000L);
    return job;
  }
}
