package dev.fovea.bench.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.bench.peer.Work;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.cpu.CpuKernels;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Every kernel that has a benchmark can be called at a small size, and every size has a name that is understood. */
class KernelFamilyTest {
  private static final List<Class<? extends KernelFamily>> FAMILIES = List.of(
      GemmBenchmark.class,
      AttentionBenchmark.class,
      NormBenchmark.class,
      ElementwiseBenchmark.class,
      CastBenchmark.class,
      ImageBenchmark.class,
      TokenBenchmark.class,
      ReduceBenchmark.class,
      RandomBenchmark.class,
      LossBenchmark.class,
      OptimizerBenchmark.class);

  @TestFactory
  Stream<DynamicTest> everyMethodIsAKernel() {
    return FAMILIES.stream()
        .flatMap(type -> Arrays.stream(type.getMethods())
            .filter(method -> method.isAnnotationPresent(Benchmark.class))
            .map(method -> DynamicTest.dynamicTest(type.getSimpleName() + "." + method.getName(), () -> {
              KernelFamily family = type.getConstructor().newInstance();
              type.getField("shape").set(family, small(type));
              try (CpuKernels kernels = CpuKernels.create(1)) {
                Work work = family.work(method.getName(), kernels);
                work.ours().on(kernels);
                assertTrue(work.bytes() > 0);
              }
            })));
  }

  @TestFactory
  Stream<DynamicTest> someKernelsTakeHalfTheBytes() {
    return Stream.of("layer", "rms", "backward", "gelu", "geluTanh", "geluGradient")
        .map(method -> DynamicTest.dynamicTest(method, () -> {
          KernelFamily family = method.startsWith("gelu") ? new ElementwiseBenchmark() : new NormBenchmark();
          family.getClass().getField("shape").set(family, "Ti/16 1x17");
          try (CpuKernels kernels = CpuKernels.create(1)) {
            double whole = family.work(method, kernels).bytes();
            family.getClass().getField("dtype").set(family, DType.BF16);
            Work work = family.work(method, kernels);
            work.ours().on(kernels);
            assertEquals(whole / 2, work.bytes());
          }
        }));
  }

  private static String small(Class<? extends KernelFamily> type) {
    return switch (type.getSimpleName()) {
      case "GemmBenchmark" -> "Ti/16 1x17 fc2";
      case "ImageBenchmark" -> "Ti/16 1x32";
      case "LossBenchmark" -> "ImageNet-1k 3";
      case "OptimizerBenchmark" -> "mu/16";
      default -> "Ti/16 1x17";
    };
  }

  @Test
  void sizesAreThoseOfTheList() throws ReflectiveOperationException {
    for (Class<? extends KernelFamily> type : FAMILIES) {
      String family = type.getSimpleName().replace("Benchmark", "").toLowerCase(Locale.ROOT);
      String[] names = type.getField("shape").getAnnotation(Param.class).value();
      assertEquals(List.of(names), Shapes.of(family), family);
      if (type != LossBenchmark.class && type != OptimizerBenchmark.class) {
        Shapes.of(family).stream()
            .filter(name -> !name.matches("\\d+x\\d+x\\d+"))
            .forEach(PaperShape::of);
      }
    }
  }

  @Test
  void layersHaveTheSizesOfTheirModels() {
    assertEquals(new GemmBenchmark.Size(1576, 3072, 768), GemmBenchmark.Size.of("B/16 8x197 fc1"));
    assertEquals(new GemmBenchmark.Size(256, 3456, 1152), GemmBenchmark.Size.of("So400m/14 1x256 qkv"));
    assertEquals(new GemmBenchmark.Size(3, 4, 5), GemmBenchmark.Size.of("3x4x5"));
    assertThrows(IllegalArgumentException.class, () -> GemmBenchmark.Size.of("B/16 8x197 fc3"));
    assertThrows(IllegalArgumentException.class, () -> PaperShape.of("B/16"));
  }
}
