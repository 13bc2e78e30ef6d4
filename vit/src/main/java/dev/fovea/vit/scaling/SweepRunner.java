package dev.fovea.vit.scaling;

import dev.fovea.vit.model.Costs;
import dev.fovea.vit.model.ParameterShapes;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.train.ConfigFile;
import dev.fovea.vit.train.Evaluation;
import dev.fovea.vit.train.Listener;
import dev.fovea.vit.train.TrainConfig;
import dev.fovea.vit.train.TrainRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Trains the models of a sweep, each in a folder of its own, and writes what came out to {@code runs.csv}, in the form
 * that scaling laws are fitted to. A model that is trained is not trained again, one that was interrupted goes on, and
 * one that fails keeps no other from its turn.
 */
public final class SweepRunner {
  private static final String RESULT = "result.json";
  private static final double GIGA = 1e9;
  private static final int WARMUP_SHARE = 10;

  private final @Nullable Path file;
  private final Map<String, ?> settings;
  private final Path folder;

  /**
   * A runner.
   *
   * @param file settings that all models share; null for none
   * @param settings over them, by section and name; see {@link ConfigFile#read}
   * @param folder where everything goes
   */
  public SweepRunner(@Nullable Path file, Map<String, ?> settings, Path folder) {
    this.file = file;
    this.settings = settings;
    this.folder = folder;
  }

  /** Hears how a sweep goes on. */
  public interface Watcher extends Listener {
    /**
     * A model's turn.
     *
     * @param number from 1
     * @param done share of all the work that is behind, about
     */
    void begin(Sweep.Point point, int number, int of, double done);

    /**
     * A model is trained.
     *
     * @param already whether it was before
     */
    void end(SweepResult result, boolean already);

    /** A model could not be trained. */
    void failed(Sweep.Point point, Exception reason);
  }

  /**
   * What came of a sweep.
   *
   * @param results of the models that are trained
   * @param failures reasons by name
   * @param stopped whether it was asked to stop before the end
   */
  public record Outcome(List<SweepResult> results, Map<String, String> failures, boolean stopped) {}

  /** The table of results. */
  public Path table() {
    return folder.resolve("runs.csv");
  }

  /**
   * Trains what is not trained yet.
   *
   * @param stop asked after every step
   * @throws IOException if the table cannot be written
   */
  public Outcome run(Sweep sweep, Watcher watcher, BooleanSupplier stop) throws IOException {
    Files.createDirectories(folder);
    List<SweepResult> results = new ArrayList<>();
    Map<String, String> failures = new LinkedHashMap<>();
    double whole = sweep.points().stream().mapToDouble(Sweep.Point::effort).sum();
    double behind = 0;
    int number = 0;
    for (Sweep.Point point : sweep.points()) {
      watcher.begin(point, ++number, sweep.points().size(), behind / whole);
      try {
        Path own = folder.resolve(point.name());
        boolean already = Files.exists(own.resolve(RESULT));
        SweepResult result = already ? read(own, point) : train(own, point, watcher, stop);
        if (result == null) {
          return new Outcome(results, failures, true);
        }
        results.add(result);
        SweepResult.write(results, table());
        watcher.end(result, already);
      } catch (IOException | RuntimeException e) {
        failures.put(point.name(), String.valueOf(e.getMessage()));
        watcher.failed(point, e);
      }
      behind += point.effort();
    }
    SweepResult.write(results, table());
    return new Outcome(results, failures, false);
  }

  private SweepResult read(Path own, Sweep.Point point) throws IOException {
    same(own, config(point));
    return SweepResult.read(own.resolve(RESULT));
  }

  /** Null if it was asked to stop. */
  private @Nullable SweepResult train(Path own, Sweep.Point point, Listener listener, BooleanSupplier stop)
      throws IOException {
    TrainConfig config = config(point);
    boolean begun = Files.exists(own.resolve("run.yaml"));
    if (begun) {
      same(own, config);
    }
    long start = System.nanoTime();
    try (TrainRun run = begun ? TrainRun.resume(own, listener) : TrainRun.start(config, own, listener)) {
      TrainRun.Outcome outcome = run.train(stop);
      if (!outcome.finished()) {
        return null;
      }
      double seconds = (System.nanoTime() - start) * 1e-9;
      Evaluation evaluation = Objects.requireNonNull(outcome.evaluation(), "finished runs are evaluated");
      SweepResult result = result(point, config, run.model().config(), evaluation, seconds);
      result.write(own.resolve(RESULT));
      return result;
    }
  }

  private static void same(Path own, TrainConfig config) throws IOException {
    if (!ConfigFile.read(own.resolve("run.yaml"), Map.of()).equals(config)) {
      throw new IOException(own + ": was begun with other settings; choose another folder, or remove this one");
    }
  }

  /** The configuration of a model; what it says of steps goes for warm-up, evaluations and checkpoints too. */
  TrainConfig config(Sweep.Point point) throws IOException {
    TrainConfig base = ConfigFile.read(file, settings);
    Map<String, Object> all = new LinkedHashMap<>(settings);
    all.put("model.width", point.shape().width());
    all.put("model.depth", point.shape().depth());
    all.put("model.mlp", point.shape().mlp());
    all.put("run.steps", point.steps());
    all.put("run.eval_every", point.steps());
    all.put("schedule.warmup", Math.min(base.schedule().warmup(), point.steps() / WARMUP_SHARE));
    if (point.trainSize() > 0) {
      all.put("data.train_size", point.trainSize());
    }
    Path data = Path.of(base.data().set());
    if (Files.exists(data)) {
      all.put("data.set", data.toAbsolutePath().normalize().toString());
    }
    return ConfigFile.read(file, all);
  }

  private static SweepResult result(
      Sweep.Point point, TrainConfig config, VitConfig vit, Evaluation evaluation, double seconds) {
    if (!evaluation.classifies()) {
      throw new IllegalArgumentException("sweep: got models that learn no classes, expected such that do");
    }
    double gflops = Costs.of(vit).flops() / GIGA;
    long pictures = point.steps() * config.data().batch();
    int judged =
        Arrays.stream(evaluation.confusion()).flatMapToInt(Arrays::stream).sum();
    return new SweepResult(
        point.name(),
        vit.width(),
        vit.depth(),
        vit.mlp(),
        vit.heads(),
        point.steps(),
        point.trainSize() > 0 ? point.trainSize() : config.data().trainSize(),
        ParameterShapes.count(vit),
        gflops,
        pictures,
        gflops * pictures,
        Math.max(1 - evaluation.accuracy(), 0.5 / Math.max(1, judged)),
        evaluation.loss(),
        seconds);
  }
}
