package dev.fovea.bench.kernel;

import dev.fovea.bench.peer.Peer;
import dev.fovea.bench.peer.Peers;
import dev.fovea.bench.peer.Work;
import dev.fovea.bench.report.Extra;
import dev.fovea.kernels.contract.KernelCase;
import dev.fovea.kernels.cpu.CpuKernels;
import java.util.concurrent.TimeUnit;
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
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * What the benchmarks of a kernel family share. A subclass has a method for each kernel, named like it, that calls
 * {@link #call}; what it computes at a size is what {@link #work} returns.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 400, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 4, time = 400, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
    value = 3,
    jvmArgsAppend = {
      "--add-modules",
      "jdk.incubator.vector",
      "--enable-native-access=ALL-UNNAMED",
      "--sun-misc-unsafe-memory-access=allow"
    })
public abstract class KernelFamily {
  /** Who computes: fovea, or a peer that has such a kernel; behind a colon, in which way. */
  @Param("fovea")
  public String by = "";

  /** Threads of the kernels. */
  @Param({"1", "2"})
  public int threads;

  private Runnable call = () -> {};
  private AutoCloseable close = () -> {};

  /**
   * Draws the operands of a kernel.
   *
   * @param kernel the method's name
   * @param kernels what is going to compute, for what has to be prepared
   */
  abstract Work work(String kernel, CpuKernels kernels);

  /** Draws operands, and checks a peer's answer against ours before anything is timed. */
  @Setup(Level.Trial)
  public void setup(BenchmarkParams parameters) {
    CpuKernels kernels = CpuKernels.create(threads);
    String method = parameters.getBenchmark();
    Work work = work(method.substring(method.lastIndexOf('.') + 1), kernels);
    Extra.work(work.flops(), work.bytes());
    if (by.equals("fovea") || by.startsWith("fovea:")) {
      KernelCase.Call ours = work.ours();
      ours.on(kernels);
      call = () -> ours.on(kernels);
      close = kernels;
      return;
    }
    Peer.Call theirs = Peers.checked(by, Peers.open(by, threads), work, kernels);
    kernels.close();
    call = theirs::run;
  }

  @TearDown
  public void tearDown() throws Exception {
    close.close();
  }

  /** One call of whoever computes. */
  final void call() {
    call.run();
  }
}
