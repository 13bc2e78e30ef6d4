package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.CudaGraph;
import dev.fovea.tensor.Download;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.OutOfDeviceMemoryException;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Upload;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.model.VitConfig;
import java.lang.System.Logger.Level;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * As {@link TrainStep}, bit for bit, for a GPU: the first step is recorded, forward and backward pass and the update of
 * all parameters, and every later one is a single launch of what was recorded. Pictures, targets, learning rate and
 * number of the step travel while the GPU computes the step before, and losses are read when the next step has been
 * queued, so that neither waits for the other.
 *
 * <p>A recorded step keeps all the memory that it works in; where there is too little to record it, or the driver
 * refuses to, every step is launched.
 */
final class RecordedStep implements Updates {
  private final CudaDevice device;
  private final Objective objective;
  private final Optimizer optimizer;
  private final TrainStep.Settings settings;
  private final TrainStep plain;
  private final boolean mixed;
  private final int batch;
  private final Scope scope;
  private final Tensor pixels;
  private final Tensor target;
  private final Tensor values;

  /** The loss of each micro-batch, then the gradients' sum of squares. */
  private final Tensor numbers;

  private final Tensor logits;
  private final Upload pixelsSent;
  private final Upload targetSent;
  private final Upload valuesSent;
  private @Nullable CudaGraph graph;
  private boolean fits = true;

  /** How many times a step has been computed here rather than replayed. */
  private long computed;

  /**
   * Makes room for what a step reads and tells.
   *
   * @param batch pictures of a step
   * @param mixed whether targets are probabilities
   */
  RecordedStep(
      CudaDevice device,
      Objective objective,
      Optimizer optimizer,
      TrainStep.Settings settings,
      int batch,
      boolean mixed) {
    this.device = device;
    this.objective = objective;
    this.optimizer = optimizer;
    this.settings = settings;
    this.mixed = mixed;
    this.batch = batch;
    plain = new TrainStep(objective, optimizer, settings);
    VitConfig config = objective.model().config();
    scope = Scope.unbound(device);
    try (Scope making = Scope.open(device).label("input")) {
      pixels = make(Shape.of(batch, config.channels(), config.imageHeight(), config.imageWidth()), DType.F32);
      target = mixed ? make(Shape.of(batch, config.classes()), DType.F32) : make(Shape.of(batch), DType.I32);
      values = make(Shape.of(optimizer.values(0, 1).length), DType.I32);
      numbers = make(Shape.of(settings.micro() + 1), DType.F32);
      logits = make(Shape.of(batch, config.classes()), DType.F32);
    }
    pixelsSent = new Upload(device, DType.F32, pixels.shape().count());
    targetSent = new Upload(device, target.dtype(), target.shape().count());
    valuesSent = new Upload(device, DType.I32, values.shape().count());
  }

  /** Whether steps are alike enough to be recorded, and there is something to win by it. */
  static boolean suits(Objective objective, TrainStep.Settings settings, TrainConfig.OnNonFinite onNonFinite) {
    return objective.isStatic()
        && settings.recompute() != Recompute.OFFLOAD
        && !TrainStep.releases(settings.micro(), settings.clip())
        && onNonFinite == TrainConfig.OnNonFinite.STOP;
  }

  private Tensor make(Shape shape, DType dtype) {
    return scope.adopt(Tensor.zeros(shape, dtype));
  }

  @Override
  public Pending begin(Batch next, double learningRate, long step) {
    float[] probabilities = next.targets();
    if (next.size() != batch || (probabilities != null) != mixed) {
      return plain.begin(next, learningRate, step); // a picture could not be read, so that none were mixed
    }
    pixelsSent.send(next.pixels());
    if (probabilities == null) {
      targetSent.send(next.labels());
    } else {
      targetSent.send(probabilities);
    }
    valuesSent.send(optimizer.values(learningRate, step));
    pixelsSent.receive(pixels);
    targetSent.receive(target);
    valuesSent.receive(values);
    if (graph != null) {
      graph.replay();
    } else if (fits) {
      record();
    } else {
      compute();
    }
    return new Reading(next, Download.of(numbers), Download.of(logits));
  }

  /** Computes the step, and records it for the next ones. */
  private void record() {
    long before = computed;
    try {
      graph = device.record(this::compute);
    } catch (OutOfDeviceMemoryException e) {
      launchFromNowOn(before, e);
    } catch (CudaException e) {
      // The driver has no memory left for the graph itself, or cannot record what a step does.
      if (!e.code().equals("CUDA_ERROR_OUT_OF_MEMORY") && !e.code().startsWith("CUDA_ERROR_STREAM_CAPTURE")) {
        throw e;
      }
      launchFromNowOn(before, e);
    }
  }

  /** Gives recording up, if the step was computed before that failed. */
  private void launchFromNowOn(long before, RuntimeException reason) {
    if (computed == before) {
      throw reason;
    }
    fits = false;
    System.getLogger("dev.fovea.vit")
        .log(Level.WARNING, "each step is launched kernel by kernel, it could not be recorded: " + reason.getMessage());
  }

  /** Bytes that a step's input takes on the GPU beside what {@link TrainStep} has there: what is on its way. */
  static long inputBytes(VitConfig config, int batch) {
    long pixels = (long) config.channels() * config.imageHeight() * config.imageWidth();
    return 3L * DType.F32.bytes() * batch * (pixels + config.classes() + 1);
  }

  @Override
  public void rest() {
    if (graph != null) {
      graph.close();
      graph = null;
    }
  }

  /** Everything from pixels to moved parameters, from and to tensors that stay where they are. */
  private void compute() {
    try (Scope _ = Scope.open(device).label("step");
        Tape tape = Tape.record(settings.recompute());
        Gradients gradients = new Gradients()) {
      int micro = settings.micro();
      for (int i = 0; i < micro; i++) {
        try (Scope _ = Scope.open()) {
          Objective.Answer answer = objective.on(part(pixels, i), part(target, i));
          keep(answer.loss(), numbers.narrow(i, 1));
          keep(Objects.requireNonNull(answer.logits()), part(logits, i));
          Tensor mean = answer.loss();
          tape.backward(micro == 1 ? mean : Ops.scale(mean, 1f / micro), gradients);
        }
      }
      Tensor factor = null;
      if (settings.clip() > 0) {
        Tensor squares = GlobalNorm.sumOfSquares(optimizer.parameters(), gradients);
        keep(squares, numbers.narrow(micro, 1));
        factor = GlobalNorm.clipFactor(squares, settings.clip());
      }
      optimizer.step(gradients, factor, values);
      computed++;
    }
  }

  private Tensor part(Tensor whole, int i) {
    long count = batch / settings.micro();
    return whole.narrow(i * count, count);
  }

  private void keep(Tensor from, Tensor to) {
    Span span = to.span();
    device.kernels().elementwise().combine(1, from.span(), 0, null, span);
  }

  /** The numbers of a step that the GPU may still be computing. */
  private final class Reading implements Pending.Late {
    private final Batch pictures;
    private final Download numbers;
    private final Download logits;

    Reading(Batch pictures, Download numbers, Download logits) {
      this.pictures = pictures;
      this.numbers = numbers;
      this.logits = logits;
    }

    @Override
    public Result result() {
      try (numbers;
          logits) {
        int micro = settings.micro();
        float[] found = numbers.values();
        double loss = 0;
        for (int i = 0; i < micro; i++) {
          loss += (double) found[i] / micro;
        }
        int right = TrainStep.right(logits.values(), objective.model().config().classes(), pictures);
        boolean finite = Double.isFinite(loss) && Float.isFinite(found[micro]);
        return new Result(loss, (double) right / batch, finite);
      }
    }
  }

  @Override
  public void close() {
    rest();
    pixelsSent.close();
    targetSent.close();
    valuesSent.close();
    scope.close();
  }
}
