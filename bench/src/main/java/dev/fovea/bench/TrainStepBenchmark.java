package dev.fovea.bench;

import dev.fovea.bench.report.Extra;
import dev.fovea.kernels.DType;
import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.Initialisation;
import dev.fovea.vit.model.Presets;
import dev.fovea.vit.model.Training;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.train.AdamW;
import dev.fovea.vit.train.Parameter;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A step of training in F32: forward and backward pass, and AdamW on each gradient as soon as it exists. Notes the most
 * memory that tensors took: parameters, the optimizer's state, gradients and activations. The peer is
 * {@code bench/peers/train_step.py}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 5)
@Measurement(iterations = 5, time = 5)
@Fork(
    value = 1,
    jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class TrainStepBenchmark {
  private static final int CLASSES = 1000;
  private static final double RATE = 1e-4;

  /** Who computes: the peer is a script. */
  @Param("fovea")
  public String by = "";

  @Param({"S/16", "B/16"})
  public String model = "";

  @Param({"NONE", "SELECTIVE", "BLOCK"})
  public Recompute recompute = Recompute.NONE;

  @Param({"8"})
  public int batch;

  @Param({"1", "2"})
  public int threads;

  private Runnable call = () -> {};
  private Runnable close = () -> {};

  /** Makes the model, its optimizer and a batch, and takes a step for its memory. */
  @Setup(Level.Trial)
  public void setup() {
    CpuDevice device = Device.cpu(threads);
    VitConfig config =
        Presets.of(model).toBuilder().pool(VitConfig.Pool.MEAN).classes(CLASSES).build();
    var vit = VisionTransformer.create(config, Initialisation.of(1), device);
    var optimizer = new AdamW(Parameter.of(vit, 0.05, 0.05, name -> true), AdamW.Settings.DEFAULT);
    Map<Tensor, Parameter> byValue = new IdentityHashMap<>();
    optimizer.parameters().forEach(parameter -> byValue.put(parameter.value().trainable(), parameter));
    var data = dev.fovea.tensor.Scope.open(device);
    Tensor pixels = Tensor.normal(Shape.of(batch, 3, config.imageHeight(), config.imageWidth()), DType.F32, 1, 1);
    Tensor labels = Tensor.zeros(Shape.of(batch), DType.I32);
    long[] steps = {0};
    call = () -> {
      long step = ++steps[0];
      try (var inside = dev.fovea.tensor.Scope.open(device);
          Tape tape = Tape.record(recompute)) {
        Tensor logits =
            Objects.requireNonNull(vit.forward(pixels, new Training(1, step)).logits());
        tape.backward(
            Ops.softmaxCrossEntropy(logits, labels, 0),
            (tensor, gradient) -> optimizer.step(Objects.requireNonNull(byValue.get(tensor)), gradient, RATE, step));
      }
    };
    call.run();
    Extra.put(Extra.IMAGES, batch);
    Extra.put(Extra.PEAK_BYTES, device.memory().peak());
    close = () -> {
      data.close();
      optimizer.close();
      vit.close();
      device.close();
    };
  }

  /** Frees the memory. */
  @TearDown
  public void tearDown() {
    close.run();
  }

  /** A step. */
  @Benchmark
  public void step() {
    call.run();
  }
}
