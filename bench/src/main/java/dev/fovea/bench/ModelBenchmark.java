package dev.fovea.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
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
import dev.fovea.vit.model.Initialisation;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.weights.TimmConfig;
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
 * Whole models, forward and with gradients of all parameters, beside ONNX Runtime and PyTorch on the same weights. The
 * peers read what {@code bench/peers/export.py} wrote; without it Fovea draws weights of its own. PyTorch eager is
 * {@code bench/peers/eager.py}.
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
  private static final double TOLERANCE = 1e-4;

  @Param({"forward", "gradients"})
  public String pass = "";

  @Param({"fovea", "onnxruntime", "djl"})
  public String by = "";

  /** A name of timm, and a folder of {@link #models}. */
  @Param({"vit_base_patch16_224", "vit_so400m_patch14_siglip_224"})
  public String model = "";

  @Param({"1", "8"})
  public int batch;

  @Param({"1", "2"})
  public int threads;

  private Runnable call = () -> {};
  private AutoCloseable close = () -> {};

  /** Where the models that the peers read are. */
  public static Path models() {
    return Path.of(System.getProperty("fovea.home", ""), "bench", "target", "models");
  }

  /** Makes the model, and checks a peer's answer against ours, or ours against PyTorch's, before anything is timed. */
  @Setup(Level.Trial)
  public void setup() throws IOException {
    if (!by.equals("fovea") && pass.equals("gradients")) {
      throw new Unavailable(by + " is not asked for gradients");
    }
    Path folder = models().resolve(model);
    if (!by.equals("fovea")) {
      require(folder.resolve(by.equals("djl") ? "model.pt" : "model.onnx"));
    }
    Extra.put(Extra.IMAGES, batch);
    CpuDevice device = Device.cpu(threads);
    VisionTransformer vit = model(folder, device);
    VitConfig config = vit.config();
    var scope = dev.fovea.tensor.Scope.open(device);
    Tensor pixels = pixels(batch, config);
    if (by.equals("fovea")) {
      VisionTransformer used = pass.equals("forward") ? vit.frozen() : vit;
      check(folder.resolve("answer.json"), used, pixels(1, config));
      call = pass.equals("forward") ? () -> forward(used, device, pixels) : gradients(used, device, pixels);
      device.memory().resetPeak();
      call.run();
      Extra.put(Extra.PEAK_BYTES, device.memory().peak());
      close = () -> {
        scope.close();
        used.close();
        device.close();
      };
      return;
    }
    float[] expected = answer(vit.forward(pixels)).toFloats();
    vit.close();
    if (by.equals("djl")) {
      Peer.Call djl = Peers.open(by, threads)
          .model(folder, Operand.of(pixelSpan(pixels), batch, 3, config.imageHeight(), config.imageWidth()));
      djl.run();
      Answers.check(by, djl.answer(), expected, TOLERANCE);
      call = djl::run;
      return;
    }
    var onnx = new OnnxModel(
        folder.resolve("model.onnx"), threads, pixels.segment(), batch, 3, config.imageHeight(), config.imageWidth());
    Answers.check(by, flat(onnx.run()), expected, TOLERANCE);
    call = onnx::run;
    close = onnx;
  }

  /** That of the peers where they have one. */
  private VisionTransformer model(Path folder, CpuDevice device) throws IOException {
    return Files.exists(folder.resolve("model.safetensors"))
        ? Vit.load(folder, device).model()
        : VisionTransformer.create(TimmConfig.of(model), Initialisation.of(1), device);
  }

  private static void require(Path file) {
    if (!Files.exists(file)) {
      throw new Unavailable(
          shown(file) + " is not here; this writes it, where python3 has torch, timm, onnx, onnxscript"
              + " and safetensors: python3 bench/peers/export.py bench/target/models");
    }
  }

  private static String shown(Path file) {
    return "bench/target/models/" + models().relativize(file).toString().replace('\\', '/');
  }

  /** What {@code export.py} makes as well. */
  private static Tensor pixels(int batch, VitConfig config) {
    Shape shape = Shape.of(batch, 3, config.imageHeight(), config.imageWidth());
    float[] values = new float[(int) shape.count()];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 251 / 125f - 1;
    }
    return Tensor.of(values, batch, 3, config.imageHeight(), config.imageWidth());
  }

  /** Against PyTorch eager, which wrote down its answer. */
  private static void check(Path file, VisionTransformer vit, Tensor pixels) throws IOException {
    if (Files.exists(file)) {
      float[] expected = new ObjectMapper().readValue(file.toFile(), float[].class);
      Answers.check("pytorch", answer(vit.forward(pixels)).toFloats(), expected, TOLERANCE);
    }
  }

  private static float[] flat(float[][] rows) {
    float[] all = new float[rows.length * rows[0].length];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, all, i * rows[0].length, rows[0].length);
    }
    return all;
  }

  private static Span pixelSpan(Tensor pixels) {
    return Span.of(pixels.segment(), DType.F32);
  }

  private static Tensor answer(VisionTransformer.Output output) {
    return Objects.requireNonNull(output.logits() == null ? output.preLogits() : output.logits());
  }

  private static void forward(VisionTransformer vit, Device device, Tensor pixels) {
    try (var inside = dev.fovea.tensor.Scope.open(device)) {
      vit.forward(pixels);
    }
  }

  /** Cross-entropy where there is a classifier, else the sum of the representation. */
  private static Runnable gradients(VisionTransformer vit, Device device, Tensor pixels) {
    vit.parameters().values().forEach(Tensor::trainable);
    Tensor labels = Tensor.zeros(Shape.of(pixels.shape().dim(0)), DType.I32);
    return () -> {
      try (var inside = dev.fovea.tensor.Scope.open(device);
          Tape tape = Tape.record(Recompute.NONE)) {
        Tensor answer = answer(vit.forward(pixels));
        try (Gradients _ = tape.backward(Ops.softmaxCrossEntropy(answer, labels, 0))) {}
      }
    };
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
