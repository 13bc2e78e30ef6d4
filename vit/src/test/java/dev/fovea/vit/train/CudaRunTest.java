package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs on GPU kernels, which the PTX machine executes, beside the same runs on the CPU. */
final class CudaRunTest {
  private static final int STEPS = 6;

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
  private static void alike(Path one, Path other) throws IOException {
    List<JsonNode> expected = Metrics.read(one.resolve("metrics.jsonl"));
    List<JsonNode> got = Metrics.read(other.resolve("metrics.jsonl"));
    assertEquals(STEPS, got.size());
    for (int i = 0; i < STEPS; i++) {
      assertEquals(
          expected.get(i).get("loss").asDouble(), got.get(i).get("loss").asDouble(), 1e-4);
      assertEquals(expected.get(i).get("accuracy"), got.get(i).get("accuracy"));
      assertEquals(expected.get(i).has("val_loss"), got.get(i).has("val_loss"));
      if (expected.get(i).has("val_loss")) {
        assertEquals(
            expected.get(i).get("val_loss").asDouble(),
            got.get(i).get("val_loss").asDouble(),
            1e-4);
      }
    }
    for (String name : new String[] {"curves.png", "confusion.png", "samples.png", "model/config.json"}) {
      assertTrue(Files.size(other.resolve(name)) > 100, name);
    }
  }

  /** The CPU's losses; and a run that was stopped goes on to the same bits. */
  @Test
  void trainsAsOnTheCpuAndGoesOnBitForBit() throws IOException {
    train(folder.resolve("cpu"), settings(), Device.cpu(), STEPS);
    train(folder.resolve("gpu"), settings(), gpu, STEPS);
    alike(folder.resolve("cpu"), folder.resolve("gpu"));
    train(folder.resolve("parts"), settings(), gpu, 3);
    goOn(folder.resolve("parts"), gpu, STEPS);
    TrainRunTest.same(folder.resolve("gpu"), folder.resolve("parts"));
  }

  /** A checkpoint is the same file wherever it was written. */
  @Test
  void goesOnOnAnotherDevice() throws IOException {
    train(folder.resolve("cpu"), settings(), Device.cpu(), STEPS);
    train(folder.resolve("moves"), settings(), Device.cpu(), 2);
    goOn(folder.resolve("moves"), gpu, 4);
    goOn(folder.resolve("moves"), Device.cpu(), STEPS);
    alike(folder.resolve("cpu"), folder.resolve("moves"));
  }
}
