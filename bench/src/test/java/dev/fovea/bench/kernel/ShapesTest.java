package dev.fovea.bench.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.bench.ModelBenchmark;
import dev.fovea.bench.TrainStepBenchmark;
import dev.fovea.kernels.contract.KernelCase;
import dev.fovea.vit.model.Presets;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.annotations.Param;

/** The list of shapes says what the models are, and its readers in Java and Python agree. */
class ShapesTest {
  /** Whether gpu.py knows what to do for each, with something for PyTorch that says yes to everything. */
  private static final String WITHOUT_TORCH = """
      import sys
      class Anything:
        def __getattr__(self, name): return Anything()
        def __call__(self, *a, **k): return Anything()
        def __iter__(self): return iter([Anything()] * 3)
        def __truediv__(self, other): return self
      for name in ("torch", "torch.nn", "torch.nn.functional"): sys.modules[name] = Anything()
      sys.path.insert(0, sys.argv[1])
      import gpu, shapes
      for kernel, shape in shapes.read(sys.argv[2]):
        print(kernel, shape if gpu.work_of(kernel, shape) else "is not understood")
      """;

  @Test
  void modelsAreThoseOfTheLibrary() {
    for (String name : Presets.names()) {
      VitConfig config = Presets.of(name);
      assertEquals(
          new Shapes.Model(config.width(), config.mlp(), config.heads(), config.depth()), Shapes.model(name), name);
    }
    assertThrows(IllegalArgumentException.class, () -> Shapes.model("XXL/16"));
    assertThrows(IllegalArgumentException.class, () -> Shapes.classes("MNIST"));
  }

  @Test
  void scriptsMakeTheSameCases() throws Exception {
    assumeTrue(python("-c", "pass") != null, "python3 is not here");
    List<String> cases = Stream.of("gemm", "attention", "norm", "elementwise", "loss", "optimizer")
        .flatMap(PaperCases::of)
        .map(KernelCase::toString)
        .distinct()
        .toList();
    Path peers = Path.of("peers").toAbsolutePath();
    assertEquals(
        cases,
        python(peers.resolve("shapes.py").toString(), list()).stream()
            .map(line -> line.replace('\t', ' '))
            .toList());
    assertEquals(cases, python("-c", WITHOUT_TORCH, peers.toString(), list(), "--cpu"));
  }

  @Test
  void modelsOfTheBenchmarksAreThoseOfTheList() throws ReflectiveOperationException {
    assertEquals(List.of(parameter(ModelBenchmark.class)), Shapes.of("timm"));
    assertEquals(List.of(parameter(TrainStepBenchmark.class)), Shapes.of("train"));
  }

  private static String[] parameter(Class<?> benchmark) throws ReflectiveOperationException {
    return benchmark.getField("model").getAnnotation(Param.class).value();
  }

  @Test
  void scriptsHaveHelpAndSayWhatTheyMiss(@TempDir Path broken) throws Exception {
    assumeTrue(python("-c", "pass") != null, "python3 is not here");
    Files.writeString(broken.resolve("torch.py"), "raise ImportError('it is broken')");
    for (String script : List.of("eager.py", "train_step.py", "export.py")) {
      String path = Path.of("peers", script).toAbsolutePath().toString();
      List<String> help = Objects.requireNonNull(python(path, "--help"));
      assertTrue(String.join(" ", help).contains("pip install torch"), script);
      ProcessBuilder builder = new ProcessBuilder("python3", "-B", path, "somewhere").redirectErrorStream(true);
      builder.environment().put("PYTHONPATH", broken.toString());
      Process process = builder.start();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(4, process.waitFor(), out);
      assertTrue(out.startsWith("python3 cannot import torch (it is broken): pip install torch"), out);
      assertEquals(1, out.lines().count(), out);
    }
  }

  private static String list() throws URISyntaxException {
    return Path.of(Objects.requireNonNull(Shapes.class.getResource(Shapes.FILE)).toURI())
        .toString();
  }

  /** The lines that it prints; null where there is none. */
  private static @Nullable List<String> python(String... arguments) throws InterruptedException {
    List<String> command =
        Stream.concat(Stream.of("python3", "-B"), Stream.of(arguments)).toList();
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor(), out);
      return out.lines().toList();
    } catch (IOException e) {
      return null;
    }
  }
}
