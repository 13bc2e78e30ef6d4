package dev.fovea.bench;

import dev.fovea.bench.report.Extra;
import java.util.Arrays;
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
    jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class MachineBenchmark {
  /** Fused multiply-adds of one {@link #fma} call, per vector lane. */
  static final int FMAS = 12 * 20_000;

  /** Bytes that one {@link #copy} call reads, and as many that it writes. */
  static final long COPIED = 128L << 20;

  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

  /** Flops of one {@link #fma} call. */
  static double flops() {
    return 2.0 * FMAS * SPECIES.length();
  }

  private float seed = 1.0000001f;
  private float[] from = {};
  private float[] to = {};

  /** Memory, for what needs it. */
  @Setup
  public void setup(BenchmarkParams benchmark) {
    switch (benchmark.getBenchmark().replaceAll(".*\\.", "")) {
      case "fma" -> Extra.work(flops(), 0);
      case "read" -> {
        from = filled();
        Extra.work(0, COPIED);
      }
      case "update" -> {
        from = filled();
        Extra.work(0, 2.0 * COPIED);
      }
      default -> {
        from = filled();
        to = filled();
        Extra.work(0, 2.0 * COPIED);
      }
    }
  }

  private static float[] filled() {
    float[] values = new float[(int) (COPIED / Float.BYTES)];
    Arrays.fill(values, 1);
    return values;
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

  /** Copies memory far larger than the caches: half of the bytes are read, half written. */
  @Benchmark
  public void copy() {
    System.arraycopy(from, 0, to, 0, from.length);
  }

  /** Changes such memory in place: unlike a copy, it reads nothing but what it writes. */
  @Benchmark
  public void update() {
    float[] values = from;
    for (int i = 0; i < values.length; i++) {
      values[i] *= 1.0000001f;
    }
  }

  /** Reads such memory. */
  @Benchmark
  public float read() {
    float[] values = from;
    FloatVector a = FloatVector.zero(SPECIES);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    int width = SPECIES.length();
    for (int i = 0; i < values.length; i += 4 * width) {
      a = a.add(FloatVector.fromArray(SPECIES, values, i));
      b = b.add(FloatVector.fromArray(SPECIES, values, i + width));
      c = c.add(FloatVector.fromArray(SPECIES, values, i + 2 * width));
      d = d.add(FloatVector.fromArray(SPECIES, values, i + 3 * width));
    }
    return a.add(b).add(c.add(d)).reduceLanes(VectorOperators.ADD);
  }
}
