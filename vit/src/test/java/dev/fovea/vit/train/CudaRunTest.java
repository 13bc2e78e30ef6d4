package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole runs on GPU kernels, which the PTX machine executes, beside the same runs on the CPU. */
final class CudaRunTest {
  private static final int STEPS = 6;

  private static final String F32 = "1e-4";

  /** Two roundings to 8 bits of losses of order 1 to 4. */
  private static final String BF16 = "0.02";

  private final TrainRunTest.Recorder recorder = new TrainRunTest.Recorder();

  @TempDir
  private Path folder;

  private CudaDevice gpu;

  @BeforeAll
  static void theBuildCompiledKernels() {
    assumeTrue(new KernelBinary("gemm").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
  }

  @BeforeEach
  void open() {
    gpu = CudaDevice.over(new PtxDriver());
  }

  @AfterEach
  void nothingIsLeft() {
    if (gpu != null) {
      assertEquals(0, gpu.memory().current(), gpu.memory().inUse());
      gpu.close();
    }
  }

  /** A tiny model, a few steps, everything that a step can have. */
  private static Map<String, Object> settings() {
    Map<String, Object> settings = TrainRunTest.tiny();
    settings.put("model.patch", 8);
    settings.put("data.batch", 4);
    settings.put("data.val_size", 6);
    settings.put("data.crop", true);
    settings.put("data.mixup", 0.2);
    settings.put("optimizer.polyak", 0.9);
    settings.put("run.steps", STEPS);
    settings.put("run.recompute", "selective");
    return settings;
  }

  private static void train(Path to, Map<String, Object> settings, Device device, long until) throws IOException {
    var recorder = new TrainRunTest.Recorder();
    recorder.stopAfter = until;
    try (TrainRun run = TrainRun.start(ConfigFile.read(null, settings), to, RunDevice.lent(device), recorder)) {
      assertEquals(until >= STEPS, run.train(recorder::stop).finished());
    }
  }

  private static void goOn(Path with, Device device, long until) throws IOException {
    var recorder = new TrainRunTest.Recorder();
    recorder.stopAfter = until;
    try (TrainRun run = TrainRun.resume(with, null, RunDevice.lent(device), recorder)) {
      assertEquals(until >= STEPS, run.train(recorder::stop).finished());
    }
  }

  /** Same metrics within a tolerance, and a folder with the same in it. */
  private static void alike(Path one, Path other, double tolerance) throws IOException {
    List<JsonNode> expected = Metrics.read(one.resolve("metrics.jsonl"));
    List<JsonNode> got = Metrics.read(other.resolve("metrics.jsonl"));
    assertEquals(STEPS, got.size());
    for (int i = 0; i < STEPS; i++) {
      assertEquals(
          expected.get(i).get("loss").asDouble(), got.get(i).get("loss").asDouble(), tolerance);
      if (tolerance == Double.parseDouble(F32)) {
        assertEquals(expected.get(i).get("accuracy"), got.get(i).get("accuracy"));
      }
      assertEquals(expected.get(i).has("val_loss"), got.get(i).has("val_loss"));
      if (expected.get(i).has("val_loss")) {
        assertEquals(
            expected.get(i).get("val_loss").asDouble(),
            got.get(i).get("val_loss").asDouble(),
            tolerance);
      }
    }
    for (String name : new String[] {"curves.png", "confusion.png", "samples.png", "model/config.json"}) {
      assertTrue(Files.size(other.resolve(name)) > 100, name);
    }
  }

  /** The CPU's losses; and a run that was stopped goes on to the same bits. */
  @ParameterizedTest
  @CsvSource({"f32, " + F32, "bf16, " + BF16})
  void trainsAsOnTheCpuAndGoesOnBitForBit(String dtype, double tolerance) throws IOException {
    Map<String, Object> settings = settings();
    settings.put("run.dtype", dtype);
    train(folder.resolve("cpu"), settings, Device.cpu(), STEPS);
    train(folder.resolve("gpu"), settings, gpu, STEPS);
    alike(folder.resolve("cpu"), folder.resolve("gpu"), tolerance);
    train(folder.resolve("parts"), settings, gpu, 3);
    goOn(folder.resolve("parts"), gpu, STEPS);
    TrainRunTest.same(folder.resolve("gpu"), folder.resolve("parts"));
  }

  /** A checkpoint is the same file wherever it was written. */
  @ParameterizedTest
  @CsvSource({"f32, " + F32, "bf16, " + BF16})
  void goesOnOnAnotherDevice(String dtype, double tolerance) throws IOException {
    Map<String, Object> settings = settings();
    settings.put("run.dtype", dtype);
    train(folder.resolve("cpu"), settings, Device.cpu(), STEPS);
    train(folder.resolve("moves"), settings, Device.cpu(), 2);
    goOn(folder.resolve("moves"), gpu, 4);
    goOn(folder.resolve("moves"), Device.cpu(), STEPS);
    alike(folder.resolve("cpu"), folder.resolve("moves"), tolerance);
  }

  /** Masks, mask tokens (0) or a decoder (1): the CPU's losses. */
  @ParameterizedTest
  @CsvSource({"0, f32, " + F32, "1, f32, " + F32, "0, bf16, " + BF16, "1, bf16, " + BF16})
  void fillsInAsOnTheCpu(int decoderDepth, String dtype, double tolerance) throws IOException {
    Map<String, Object> settings = settings();
    settings.put("data.mixup", 0);
    settings.put("optimizer.polyak", 0);
    settings.put("masked.ratio", 0.5);
    settings.put("masked.decoder_depth", decoderDepth);
    settings.put("masked.decoder_width", 16);
    settings.put("run.steps", 3);
    settings.put("run.dtype", dtype);
    List<List<Double>> losses = new ArrayList<>();
    for (Device device : List.of(Device.cpu(), gpu)) {
      var recorder = new TrainRunTest.Recorder();
      Path to = folder.resolve(device.name().replace(':', '-'));
      try (TrainRun run = TrainRun.start(ConfigFile.read(null, settings), to, RunDevice.lent(device), recorder)) {
        TrainRun.Outcome outcome = run.train(() -> false);
        recorder.losses.add(outcome.evaluation().loss());
      }
      losses.add(recorder.losses);
    }
    assertEquals(4, losses.getFirst().size());
    for (int i = 0; i < 4; i++) {
      assertEquals(losses.getFirst().get(i), losses.getLast().get(i), tolerance, "step " + (i + 1));
    }
  }

  /** The most memory that a run has had in use. */
  private long peak(String recompute, long limit) throws IOException {
    Map<String, Object> settings = settings();
    settings.put("model.patch", 4);
    settings.put("model.depth", 3);
    settings.put("data.mixup", 0);
    settings.put("data.val_size", 2);
    settings.put("optimizer.polyak", 0);
    settings.put("run.steps", 2);
    settings.put("run.eval_every", 1);
    settings.put("run.recompute", recompute);
    settings.put("run.memory", limit);
    gpu.memory().resetPeak();
    Path to = folder.resolve(recompute + limit);
    TrainConfig config = ConfigFile.read(null, settings);
    try (TrainRun run = TrainRun.start(config, to, RunDevice.lent(gpu, limit), recorder)) {
      assertTrue(run.train(() -> false).finished());
    }
    assertEquals(Long.MAX_VALUE, gpu.memory().limit(), "the limit was the run's");
    return gpu.memory().peak();
  }

  /** Between what two policies need, the smaller one is chosen, and all of the run keeps to the limit. */
  @Test
  void keepsToALimitOfMemory() throws IOException {
    long none = peak("none", 1L << 30);
    long block = peak("block", 1L << 30);
    assertTrue(block < none, block + ", " + none);
    assertEquals(List.of(), choices());
    long limit = (none + block) / 2;
    long auto = peak("auto", limit);
    assertTrue(auto <= limit, auto + " of " + limit + ", " + none + ", " + block + recorder.messages);
    assertEquals(1, choices().size(), recorder.messages::toString);
    var e = assertThrows(IllegalArgumentException.class, () -> peak("none", limit));
    assertTrue(e.getMessage().startsWith("memory: the run needs at least"), e.getMessage());
    assertEquals(Long.MAX_VALUE, gpu.memory().limit());
  }

  private List<String> choices() {
    return recorder.messages.stream()
        .filter(message -> message.startsWith("recomputation: "))
        .toList();
  }
}
