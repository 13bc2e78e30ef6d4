package dev.fovea.bench;

import dev.fovea.bench.report.Extra;
import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.CpuKernels;
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

/** F32 {@code C = A B^T}, the product of a linear layer, beside OpenBLAS and MKL. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 400, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 4, time = 400, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
    value = 3,
    jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class GemmBenchmark {
  /**
   * Who computes; after a colon, packed for B packed once beforehand, or the core type that a peer is told to be: of
   * OpenBLAS, or AVX2 for MKL.
   */
  @Param({"fovea", "fovea:packed", "openblas", "openblas:SkylakeX", "mkl", "mkl:packed"})
  public String by = "";

  /** m x n x k: rows of activations, columns out, columns in. */
  @Param({
    "1024x1024x1024",
    "2048x2048x2048",
    // ViT-B/16 at 224: one image, then eight; qkv, projection, and the MLP's two
    "197x2304x768",
    "197x768x3072",
    "1576x2304x768",
    "1576x768x768",
    "1576x3072x768",
    "1576x768x3072",
    // SoViT-400m/14 at 224, eight images
    "2048x3456x1152",
    "2048x4304x1152",
    "2048x1152x4304"
  })
  public String shape = "";

  @Param({"1", "2"})
  public int threads;

  private Runnable call = () -> {};
  private AutoCloseable close = () -> {};

  /** Draws operands, and checks the answer against the contract's kernel before anything is timed. */
  @Setup(Level.Trial)
  public void setup() {
    String[] sizes = shape.split("x", -1);
    int m = Integer.parseInt(sizes[0]);
    int n = Integer.parseInt(sizes[1]);
    int k = Integer.parseInt(sizes[2]);
    Extra.work(2.0 * m * n * k, 4.0 * ((double) m * k + (double) n * k + (double) m * n));
    Span a = Matrices.random((long) m * k, 1);
    Span b = Matrices.random((long) n * k, 2);
    Span c = Matrices.zeros((long) m * n);
    CpuKernels kernels = CpuKernels.create(threads);
    Gemm gemm = new Gemm(Layout.NT, m, n, k).a(a, k).b(b, k).c(c, n);
    if (by.equals("fovea:packed")) {
      Span packed = Matrices.zeros(kernels.gemm().packedBytes(Layout.NT, n, k) / Float.BYTES);
      kernels.gemm().pack(Layout.NT, n, k, b, k, packed);
      gemm.packedB(packed);
    }
    if (by.startsWith("fovea")) {
      call = () -> kernels.gemm().run(gemm);
      close = kernels;
      return;
    }
    Span expected = Matrices.zeros(c.count());
    kernels.gemm().run(new Gemm(Layout.NT, m, n, k).a(a, k).b(b, k).c(expected, n));
    kernels.close();
    String coreType = by.substring(by.indexOf(':') + 1);
    NativeBlas blas = by.startsWith("openblas")
        ? NativeBlas.openblas(threads, by.contains(":") ? coreType : "")
        : NativeBlas.mkl(threads, coreType.equals("AVX2") ? coreType : "");
    call = coreType.equals("packed")
        ? blas.packedTransposed(m, n, k, a.address(), b.address(), c.address())
        : () -> blas.multiplyTransposed(m, n, k, a.address(), b.address(), c.address());
    call.run();
    double difference = Matrices.difference(c, expected);
    if (!(difference < 1e-6 * k)) {
      throw new IllegalStateException(by + " differs by " + difference);
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
