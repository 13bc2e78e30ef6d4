package dev.fovea.bench;

import dev.fovea.bench.peer.Matrices;
import dev.fovea.bench.peer.Work;
import dev.fovea.bench.report.Extra;
import dev.fovea.kernels.Span;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * The limits of this machine, measured: what kernels are compared with. Run with {@code -t N} for N threads; a score is
 * that of each thread.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
    value = 3,
    jvmArgsAppend = {"--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class MachineBenchmark {
  /** Fused multiply-adds of one {@link #fma} call, per vector lane. */
  static final int FMAS = 12 * 20_000;

  /** Bytes that one {@link #copy} call reads, and as many that it writes. */
  static final long COPIED = 128L << 20;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

  /** Flops of one {@link #fma} call. */
  static double flops() {
    return 2.0 * FMAS * SPECIES.length();
  }

  private float seed = 1.0000001f;
  private MemorySegment from = MemorySegment.NULL;
  private MemorySegment to = MemorySegment.NULL;

  /** Memory, for what needs it. */
  @Setup
  public void setup(BenchmarkParams benchmark) {
    switch (benchmark.getBenchmark().replaceAll(".*\\.", "")) {
      case "fma" -> Extra.work(flops(), 0);
      case "read" -> {
        from = random();
        Extra.work(0, Work.traffic(COPIED, 0));
      }
      case "update" -> {
        from = random();
        Extra.work(0, Work.traffic(0, COPIED));
      }
      default -> {
        from = random();
        to = random();
        Extra.work(0, 2.0 * COPIED);
      }
    }
  }

  private static MemorySegment random() {
    Span random = Matrices.random(COPIED / Float.BYTES, 1);
    return MemorySegment.ofAddress(random.address()).reinterpret(random.bytes());
  }

  /** Twelve independent chains of fused multiply-adds in registers: the peak of floating-point work. */
  @Benchmark
  public float fma() {
    FloatVector x = FloatVector.broadcast(SPECIES, seed);
    FloatVector a = x;
    FloatVector b = x;
    FloatVector c = x;
    FloatVector d = x;
    FloatVector e = x;
    FloatVector f = x;
    FloatVector g = x;
    FloatVector h = x;
    FloatVector i = x;
    FloatVector j = x;
    FloatVector k = x;
    FloatVector l = x;
    for (int step = 0; step < FMAS / 12; step++) {
      a = a.fma(x, x);
      b = b.fma(x, x);
      c = c.fma(x, x);
      d = d.fma(x, x);
      e = e.fma(x, x);
      f = f.fma(x, x);
      g = g.fma(x, x);
      h = h.fma(x, x);
      i = i.fma(x, x);
      j = j.fma(x, x);
      k = k.fma(x, x);
      l = l.fma(x, x);
    }
    return a.add(b)
        .add(c)
        .add(d)
        .add(e)
        .add(f)
        .add(g)
        .add(h)
        .add(i)
        .add(j)
        .add(k)
        .add(l)
        .lane(0);
  }

  /** Copies memory far larger than the caches, with stores past them: what is written moves once. */
  @Benchmark
  public void copy() {
    to.copyFrom(from);
  }

  /** Changes such memory in place. */
  @Benchmark
  public void update() {
    for (long at = 0; at < COPIED; at += SPECIES.vectorByteSize()) {
      vector(at).mul(1.0000001f).intoMemorySegment(from, at, ORDER);
    }
  }

  /** Reads such memory. */
  @Benchmark
  public float read() {
    FloatVector a = FloatVector.zero(SPECIES);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    long width = SPECIES.vectorByteSize();
    for (long at = 0; at < COPIED; at += 4 * width) {
      a = a.add(vector(at));
      b = b.add(vector(at + width));
      c = c.add(vector(at + 2 * width));
      d = d.add(vector(at + 3 * width));
    }
    return a.add(b).add(c.add(d)).reduceLanes(VectorOperators.ADD);
  }

  private FloatVector vector(long at) {
    return FloatVector.fromMemorySegment(SPECIES, from, at, ORDER);
  }
}
