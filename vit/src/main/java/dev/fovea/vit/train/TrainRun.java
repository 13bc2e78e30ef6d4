package dev.fovea.vit.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.data.Augmentation;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.data.Batches;
import dev.fovea.vit.data.Mixing;
import dev.fovea.vit.data.Prefetch;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Trains a model in a run folder. Everything random is a function of the seed and the step, so that a run that was
 * killed and goes on from its last checkpoint ends with the same bits as one that was not.
 *
 * <p>The folder holds {@code run.yaml} (the whole configuration), {@code metrics.jsonl}, {@code checkpoints/}, and at
 * the end {@code model/} and pictures of how it went.
 */
public final class TrainRun implements AutoCloseable {
  /** Pictures of a batch that are named. */
  private static final int NAMED = 4;

  private final TrainConfig config;
  private final Listener listener;
  private final RunFolder folder;
  private final Device device;

  /** What closes the model and what else is this run's, the latest first. */
  private final Deque<Runnable> owned = new ArrayDeque<>();

  private final Pictures pictures;
  private final MixedPrecision trained;

  /** What computes. */
  private final Objective objective;

  private final Optimizer optimizer;
  private final @Nullable Polyak average;
  private final Batches training;
  private final Batches validation;
  private final Checkpoints checkpoints;
  private final Skipped skipped;
  private RunState state = new RunState(0, -1, 0);
  private @Nullable Evaluation latest;
  private @Nullable Begun begun;

  /**
   * How a run ended.
   *
   * @param step updates done
   * @param finished whether that is all of them
   * @param evaluation of the last step, if it was evaluated: always when finished
   */
  public record Outcome(
      long step, boolean finished, @Nullable Evaluation evaluation) {}

  private TrainRun(TrainConfig config, RunFolder folder, RunDevice on, Listener listener) throws IOException {
    this.config = config;
    this.folder = folder;
    this.listener = listener;
    var data = config.data();
    device = on.device();
    owned.push(on::close);
    try {
      if (device instanceof CudaDevice) {
        listener.message("training on " + on.description());
      }
      pictures = Pictures.of(config);
      pictures.summary().forEach(listener::message);
      int classes = pictures.training().classes().size();
      long seed = config.run().seed();
      trained = MixedPrecision.of(
          config.masked().on() ? Reconstruction.of(config, device) : Classification.of(config, classes, device),
          config.run().dtype().dtype(),
          config.run().masters());
      owned.push(trained::close);
      if (config.run().dtype() == Numbers.BF16) {
        listener.message(
            config.run().masters()
                ? "computing in BF16; parameters are kept in F32 beside"
                : "computing in BF16, without F32 parameters: every step rounds what it moves at random");
      }
      objective = trained.working();
      VitConfig vit = objective.model().config();
      optimizer = Optimizers.of(config, trained);
      owned.push(optimizer::close);
      double decay = config.optimizer().polyak();
      average = decay == 0 ? null : new Polyak(trained, decay);
      if (average != null) {
        owned.push(average::close);
      }
      training = Batches.training(
          pictures.training(),
          data.batch(),
          vit.imageHeight(),
          vit.imageWidth(),
          data.crop() || data.flip() ? new Augmentation(data.crop(), data.leastArea(), data.flip()) : Augmentation.NONE,
          data.operations(),
          new Mixing(data.mixup(), data.cutmix()),
          seed);
      validation = Batches.evaluation(pictures.validation(), data.batch(), vit.imageHeight(), vit.imageWidth());
      checkpoints = new Checkpoints(folder.checkpoints(), config.run().keep());
      skipped = new Skipped(folder.skipped(), listener);
    } catch (IOException | RuntimeException e) {
      release();
      throw e;
    }
  }

  /**
   * A new run in a folder that holds none yet.
   *
   * @throws IOException if it holds one, or cannot be written to
   * @throws dev.fovea.kernels.cuda.CudaException if the configuration names a GPU that cannot be used
   */
  public static TrainRun start(TrainConfig config, Path folder, Listener listener) throws IOException {
    return start(config, folder, RunDevice.of(config.run()), listener);
  }

  static TrainRun start(TrainConfig config, Path folder, RunDevice on, Listener listener) throws IOException {
    TrainConfig whole;
    RunFolder made;
    try {
      whole = StartingModel.resolved(config);
      made = RunFolder.create(folder, whole);
    } catch (IOException | RuntimeException e) {
      on.close();
      throw e;
    }
    try {
      return open(whole, made, on, listener);
    } catch (IOException | RuntimeException e) {
      made.abandon();
      throw e;
    }
  }

  /**
   * The run in a folder, at its latest checkpoint that is whole, or at its beginning if there is none.
   *
   * @throws IOException if there is no run, or none of its checkpoints is whole
   */
  public static TrainRun resume(Path folder, Listener listener) throws IOException {
    return resume(folder, null, null, listener);
  }

  /**
   * As {@link #resume(Path, Listener)}, on another device than it was begun on.
   *
   * @param device by its name in a configuration; null for the same
   * @throws dev.fovea.kernels.cuda.CudaException if that is a GPU that cannot be used
   */
  public static TrainRun resume(Path folder, @Nullable String device, Listener listener) throws IOException {
    return resume(folder, device, null, listener);
  }

  static TrainRun resume(Path folder, @Nullable String device, @Nullable RunDevice on, Listener listener)
      throws IOException {
    RunFolder opened = RunFolder.open(folder);
    TrainRun run;
    try {
      TrainConfig config = opened.config();
      TrainConfig moved = device == null ? config : config.with(config.run().on(device));
      run = open(moved, opened, on == null ? RunDevice.of(moved.run()) : on, listener);
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
    try {
      Optional<RunState> found = run.checkpoints.readLatest(run.tensors(), listener::message);
      run.state = found.orElse(run.state);
      run.trained.round();
      listener.message(
          found.isPresent()
              ? "going on from step " + run.state.step()
              : "there is no checkpoint yet: starting from the beginning");
      return run;
    } catch (IOException | RuntimeException e) {
      run.close();
      throw e;
    }
  }

  private static TrainRun open(TrainConfig config, RunFolder folder, RunDevice on, Listener listener)
      throws IOException {
    try {
      return new TrainRun(config, folder, on, listener);
    } catch (IOException | RuntimeException e) {
      folder.close();
      throw e;
    }
  }

  /** What is trained, as it is kept. */
  public VisionTransformer model() {
    return trained.kept().model();
  }

  /** What is evaluated and saved: the averaged parameters if there are such. */
  private MixedPrecision judged() {
    return average == null ? trained : average.average();
  }

  /** Everything that a checkpoint holds. */
  private Map<String, Tensor> tensors() {
    Map<String, Tensor> all = new LinkedHashMap<>();
    trained.kept().parameters().forEach((name, tensor) -> all.put("model." + name, tensor));
    optimizer.state().forEach((name, tensor) -> all.put("optimizer." + name, tensor));
    if (average != null) {
      average.average().kept().parameters().forEach((name, tensor) -> all.put("average." + name, tensor));
    }
    return all;
  }

  /**
   * Trains to the end, or until asked to stop; a checkpoint is written in either case.
   *
   * @param stop asked after every step
   * @throws NonFiniteException if loss or gradients are not finite and the configuration says to stop then
   * @throws IOException if something cannot be written: the last good checkpoint stays
   */
  public Outcome train(BooleanSupplier stop) throws IOException {
    TrainConfig.Run run = config.run();
    Schedule schedule = config.rate();
    boolean stopped = false;
    try (Metrics metrics = metrics();
        Prefetch prefetch = new Prefetch(training, state.step(), run.steps(), readers());
        Updates updates = new StepPlan(config, objective, optimizer, training, listener).updates()) {
      StepLog log = new StepLog(metrics, listener, device, config);
      while (state.step() < run.steps() && !stopped) {
        advance(updates, prefetch.take(), schedule, log);
        stopped = stop.getAsBoolean();
        long done = state.step();
        boolean due = stopped || done == run.steps() || done % run.checkpointEvery() == 0;
        if (due) {
          finish(log);
        }
        if (due || state.bestStep() == done) {
          checkpoints.write(state, tensors());
          log.pause();
        }
      }
    }
    boolean finished = state.step() == run.steps();
    Evaluation evaluation = latest;
    skipped.tell(training, validation);
    if (finished) {
      evaluation = evaluation == null ? evaluate() : evaluation;
      save();
      folder.draw(judged().working(), pictures, evaluation, listener);
      ShapeBias.of(config, judged().working().model()).ifPresent(bias -> listener.message(bias.toString()));
    }
    return new Outcome(state.step(), finished, evaluation);
  }

  private Metrics metrics() throws IOException {
    try {
      return Metrics.open(folder.metrics(), state.step());
    } catch (IOException e) {
      throw unwritten(folder.metrics(), e);
    }
  }

  private void save() throws IOException {
    try {
      folder.save(judged().kept().model(), pictures.training().classes());
    } catch (IOException e) {
      throw unwritten(folder.model(), e);
    }
  }

  /** Says what could not be written, and what can be done about it. */
  private IOException unwritten(Path file, IOException e) throws IOException {
    return new IOException(
        "%s could not be written (%s); %s".formatted(file, Checkpoints.reason(e), checkpoints.advice(state.step() + 1)),
        e);
  }

  private static int readers() {
    return Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
  }

  private Evaluation evaluate() {
    if (average != null) {
      average.average().round();
    }
    return judged().working().evaluate(validation);
  }

  /** A step whose result nobody has asked for yet. */
  private record Begun(long number, double rate, Batch batch, Updates.Pending pending) {}

  /** One step. What comes of it is told now, or when the next one has been begun. */
  private void advance(Updates updates, Batch batch, Schedule schedule, StepLog log) throws IOException {
    double rate = schedule.at(state.step());
    long number = state.step() + 1;
    Begun now = new Begun(number, rate, batch, updates.begin(batch, rate, number));
    boolean late = now.pending instanceof Updates.Pending.Late;
    if (late && average != null) {
      average.add(trained.kept());
    }
    finish(log);
    state = new RunState(number, state.bestScore(), state.bestStep());
    begun = now;
    if (!late || isEvaluated(number)) {
      if (isEvaluated(number)) {
        updates.rest();
      }
      finish(log);
    }
  }

  private boolean isEvaluated(long number) {
    return number % config.run().evalEvery() == 0 || number == config.run().steps();
  }

  /** Tells what came of the step that was begun last, if that is not known yet, and evaluates if it is time. */
  private void finish(StepLog log) throws IOException {
    Begun last = begun;
    if (last == null) {
      return;
    }
    begun = null;
    Updates.Result result = last.pending.result();
    if (!result.finite()) {
      nonFinite(last, result);
    } else if (average != null && last.pending instanceof Updates.Pending.Done) {
      average.add(trained.kept());
    }
    ObjectNode line = log.step(last.number, last.rate, result);
    latest = null;
    if (isEvaluated(last.number)) {
      Evaluation evaluation = evaluate();
      latest = evaluation;
      log.evaluated(line, last.number, evaluation);
      skipped.tell(training, validation);
      if (evaluation.score() > state.bestScore()) {
        state = new RunState(last.number, evaluation.score(), last.number);
      }
      log.pause();
    }
    try {
      log.write(line);
    } catch (IOException e) {
      throw unwritten(folder.metrics(), e);
    }
  }

  private void nonFinite(Begun step, Updates.Result result) throws IOException {
    String what = "step %d: the %s is not finite for %s"
        .formatted(
            step.number,
            Double.isFinite(result.loss()) ? "gradients' norm" : "loss (" + result.loss() + ")",
            named(step));
    // Once the parameters have been moved they say nothing about the step any more.
    String largest =
        step.pending instanceof Updates.Pending.Done ? "; " + Largest.describe(objective.model(), step.batch) : "";
    if (config.run().onNonFinite() == TrainConfig.OnNonFinite.SKIP) {
      listener.message("%s%s; the step was left out".formatted(what, largest));
      return;
    }
    throw new NonFiniteException("%s%s; %s".formatted(what, largest, checkpoints.advice(step.number)));
  }

  /** The batch of a step: where it is in its epoch, and its pictures. */
  private String named(Begun step) {
    long at = step.number - 1;
    List<String> names = training.names(at, NAMED);
    int more = step.batch.size() - names.size();
    return "batch %d of epoch %d (%s %s%s)"
        .formatted(
            at % training.perEpoch() + 1,
            at / training.perEpoch() + 1,
            step.batch.size() == 1 ? "picture" : "pictures",
            String.join(", ", names),
            more == 0 ? "" : " and " + more + " more");
  }

  private void release() {
    while (!owned.isEmpty()) {
      owned.pop().run();
    }
  }

  /** Frees model and optimizer, and lets go of the folder. */
  @Override
  public void close() throws IOException {
    release();
    folder.close();
  }
}
