package dev.fovea.bench;

import dev.fovea.bench.peer.OnnxModel;
import dev.fovea.bench.peer.Peer;
import dev.fovea.bench.peer.Peers;
import dev.fovea.bench.peer.Work.Operand;
import dev.fovea.bench.report.Answers;
import dev.fovea.bench.report.Extra;
import dev.fovea.bench.report.Unavailable;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.Vit;
import dev.fovea.vit.model.VisionTransformer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
 * Whole models, forward and with gradients of all parameters, beside ONNX Runtime on the same weights. The folders are
 * written by {@code bench/peers/export.py}; {@code bench/peers/eager.py} times PyTorch on the same shapes.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
    value = 2,
    jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class ModelBenchmark {
  static final Path MODELS = Path.of("bench", "target", "models");

  @Param({"forward", "gradients"})
  public String pass = "";

  @Param({"fovea", "onnxruntime", "djl"})
  public String by = "";

  /** A folder of {@code bench/target/models}. */
  @Param({"vit_base_patch16_224", "vit_so400m_patch14_siglip_224"})
  public String model = "";

  @Param({"1", "8"})
  public int batch;

  @Param({"1", "2"})
  public int threads;

  private Runnable call = () -> {};
  private AutoCloseable close = () -> {};

  /** Loads the model, and checks a peer's answer against ours before anything is timed. */
  @Setup(Level.Trial)
  public void setup() throws IOException {
    if (!by.equals("fovea") && pass.equals("gradients")) {
      throw new Unavailable(by + " is not asked for gradients");
    }
    Path folder = MODELS.resolve(model);
    if (!Files.isDirectory(folder)) {
      throw new Unavailable(folder + " is not here: bench/peers/export.py writes it, with PyTorch and timm");
    }
    Extra.put(Extra.IMAGES, batch);
    CpuDevice device = Device.cpu(threads);
    Vit vit = Vit.load(folder, device);
    int size = vit.config().imageHeight();
    Shape shape = Shape.of(batch, 3, size, size);
    var scope = dev.fovea.tensor.Scope.open(device);
    Tensor pixels = Tensor.normal(shape, DType.F32, 1, 1);
    if (by.equals("fovea")) {
      Vit used = pass.equals("forward") ? vit.frozen() : vit;
      call = pass.equals("forward") ? () -> forward(used, device, pixels) : gradients(used, device, pixels);
      close = () -> {
        scope.close();
        used.close();
        device.close();
      };
      return;
    }
    if (by.equals("djl")) {
      Peer.Call djl = Peers.open(by, threads).model(folder, Operand.of(pixelSpan(pixels), batch, 3, size, size));
      djl.run();
      Answers.check(
          by, djl.answer(), Objects.requireNonNull(answer(vit.forward(pixels))).toFloats(), 1e-4);
      vit.close();
      call = djl::run;
      return;
    }
    var onnx = new OnnxModel(folder.resolve("model.onnx"), threads, pixels.segment(), batch, 3, size, size);
    compare(answer(vit.forward(pixels)), onnx.run());
    vit.close();
    call = onnx::run;
    close = onnx;
  }

  private static Span pixelSpan(Tensor pixels) {
    return Span.of(pixels.segment(), DType.F32);
  }

  private static Tensor answer(VisionTransformer.Output output) {
    return output.logits() == null ? output.preLogits() : output.logits();
  }

  private static void forward(Vit vit, Device device, Tensor pixels) {
    try (var inside = dev.fovea.tensor.Scope.open(device)) {
      vit.forward(pixels);
    }
  }

  /** Cross-entropy where there is a classifier, else the sum of the representation. */
  private static Runnable gradients(Vit vit, Device device, Tensor pixels) {
    vit.model().parameters().values().forEach(Tensor::trainable);
    Tensor labels = Tensor.zeros(Shape.of(pixels.shape().dim(0)), DType.I32);
    return () -> {
      try (var inside = dev.fovea.tensor.Scope.open(device);
          Tape tape = Tape.record(Recompute.NONE)) {
        Tensor answer = Objects.requireNonNull(answer(vit.forward(pixels)));
        try (Gradients _ = tape.backward(Ops.softmaxCrossEntropy(answer, labels, 0))) {}
      }
    };
  }

  private void compare(Tensor ours, float[][] theirs) {
    float[] expected = ours.toFloats();
    int width = expected.length / batch;
    for (int i = 0; i < expected.length; i++) {
      float difference = Math.abs(theirs[i / width][i % width] - expected[i]);
      if (!(difference < 1e-3)) {
        throw new IllegalStateException("%s differs by %s at %d".formatted(by, difference, i));
      }
    }
  }

  @TearDown
  public void tearDown() throws Exception {
    close.close();
  }

  @Benchmark
  public void run() {
    call.run();
  }
}
