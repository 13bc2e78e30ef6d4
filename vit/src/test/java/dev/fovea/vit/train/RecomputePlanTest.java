package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is computed again where memory is limited. */
final class RecomputePlanTest {
  @TempDir
  private Path folder;

  private final TrainRunTest.Recorder recorder = new TrainRunTest.Recorder();

  /** The most memory that a run has had in use. */
  private long peak(String recompute, long limit) throws IOException {
    Map<String, Object> settings = TrainRunTest.tiny();
    settings.put("model.depth", 6);
    settings.put("data.batch", 16);
    settings.put("run.steps", 2);
    settings.put("run.recompute", recompute);
    settings.put("run.memory", limit);
    Path to = folder.resolve(recompute + limit);
    try (TrainRun run = TrainRun.start(ConfigFile.read(null, settings), to, recorder)) {
      assertTrue(run.train(() -> false).finished());
    }
    long most = 0;
    for (JsonNode line : Metrics.read(to.resolve("metrics.jsonl"))) {
      most = Math.max(most, line.get("peak_bytes").asLong());
    }
    return most;
  }

  private List<String> choices() {
    return recorder.messages.stream()
        .filter(message -> message.startsWith("recomputation: "))
        .toList();
  }

  /** A limit between what two policies need makes the smaller one the choice, and it keeps to the limit. */
  @Test
  void aLimitMakesItChooseASmallerPolicy() throws IOException {
    long unlimited = 1L << 30;
    long none = peak("none", unlimited);
    long selective = peak("selective", unlimited);
    long block = peak("block", unlimited);
    assertTrue(block < selective && selective < none, block + ", " + selective + ", " + none);
    assertEquals(none, peak("auto", unlimited));
    assertEquals(List.of(), choices());
    long limit = (none + selective) / 2;
    assertTrue(peak("auto", limit) <= limit);
    assertTrue(choices().getLast().startsWith("recomputation: selective (none needs "), recorder.messages::toString);
    limit = (selective + block) / 2;
    assertTrue(peak("auto", limit) <= limit);
    assertTrue(choices().getLast().startsWith("recomputation: block ("), recorder.messages::toString);
  }

  /** On the CPU the inputs of blocks are in its memory anyhow. */
  @Test
  void offloadIsAsBlockOnTheCpu() throws IOException {
    assertEquals(peak("block", 1L << 30), peak("offload", 1L << 30));
  }
}
