package dev.fovea.bench;

import dev.fovea.bench.report.Extra;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.KernelCase;
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

/**
 * One of the contract's {@linkplain TimedCases timed cases}: the calls that the tests check are the calls that are
 * timed.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 400, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 4, time = 400, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
    value = 2,
    jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class KernelBenchmark {
  /** The case's name; {@code -p test=?} lists them all. */
  @Param("?")
  public String test = "";

  @Param({"1", "2"})
  public int threads;

  private final HostCaseMemory memory = new HostCaseMemory(1);
  private CpuKernels kernels = CpuKernels.create(1);
  private KernelCase.Call call = k -> {};

  @Setup(Level.Trial)
  public void setup() {
    kernels.close();
    kernels = CpuKernels.create(threads);
    KernelCase timed = TimedCases.named(test);
    Extra.work(timed.flops(), timed.bytes());
    call = timed.setup().prepare(memory);
  }

  @TearDown
  public void tearDown() {
    kernels.close();
    memory.close();
  }

  @Benchmark
  public void run() {
    call.on(kernels);
  }
}
