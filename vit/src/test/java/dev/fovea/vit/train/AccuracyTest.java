package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The default run, cut to a quarter, has learned a good part, from 10 % by chance. */
final class AccuracyTest {
  @TempDir
  private Path folder;

  @ParameterizedTest
  @EnumSource
  void aShortRunLearns(Numbers dtype) throws IOException {
    Map<String, Object> settings = Map.of(
        "run.steps", 300, "run.eval_every", 300, "run.checkpoint_every", 300, "data.val_size", 500, "run.dtype", dtype);
    TrainConfig config = ConfigFile.read(null, settings);
    try (TrainRun run = TrainRun.start(config, folder.resolve("run"), new TrainRunTest.Recorder())) {
      Evaluation evaluation = Objects.requireNonNull(run.train(() -> false).evaluation());
      assertTrue(evaluation.accuracy() >= 0.45, "accuracy " + evaluation.accuracy());
    }
  }
}
