package dev.fovea.bench.peer;

import dev.fovea.bench.report.Unavailable;
import dev.fovea.kernels.Span;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/** Products of OpenBLAS and MKL. */
final class BlasPeer implements Peer {
  private static final String PACKED = "packed";

  private final NativeBlas blas;
  private final boolean packed;

  private BlasPeer(NativeBlas blas, boolean packed) {
    this.blas = blas;
    this.packed = packed;
  }

  /**
   * OpenBLAS, with the core type that it is told to be as its option; and MKL, with {@code packed} for a weight packed
   * once beforehand, or the instructions that it is told to use.
   */
  static Stream<Provider> providers() {
    return Stream.of(
        provider("openblas", (option, threads) -> new BlasPeer(NativeBlas.openblas(threads, option), false)),
        provider("mkl", (option, threads) -> {
          boolean packed = option.equals(PACKED);
          return new BlasPeer(NativeBlas.mkl(threads, packed ? "" : option), packed);
        }));
  }

  private static Provider provider(String name, BiFunction<String, Integer, Peer> open) {
    return new Provider() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public Peer open(String option, int threads) {
        return open.apply(option, threads);
      }
    };
  }

  @Override
  public Call prepare(Work work) {
    if (work.operation() != Work.Operation.LINEAR) {
      throw new Unavailable("BLAS has products only");
    }
    Work.Operand x = work.inputs().get(0);
    Work.Operand weight = work.inputs().get(1);
    int m = Math.toIntExact(x.shape().get(0));
    int k = Math.toIntExact(x.shape().get(1));
    int n = Math.toIntExact(weight.shape().get(0));
    Span c = Matrices.zeros((long) m * n);
    long a = x.span().address();
    long b = weight.span().address();
    Runnable product = packed
        ? blas.packedTransposed(m, n, k, a, b, c.address())
        : () -> blas.multiplyTransposed(m, n, k, a, b, c.address());
    return new Product(product, Work.Operand.of(c, m, n));
  }

  private record Product(Runnable product, Work.Operand result) implements Call {
    @Override
    public void run() {
      product.run();
    }

    @Override
    public float[] answer() {
      return result.values();
    }
  }
}
