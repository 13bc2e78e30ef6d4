package dev.fovea.bench.model;

import dev.fovea.bench.report.Extra;
import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.Device;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.BenchmarkParams;

/** What benchmarks of tensors share: a device, and the most memory that a call of it needs. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 4, time = 1)
@Fork(
    value = 3,
    jvmArgsAppend = {"--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public abstract class Cost {
  /** Threads of the kernels. */
  @Param({"1", "2"})
  public int threads;

  private Runnable call = () -> {};

  /**
   * Makes the call ready, runs it once, and notes the peak of that. The device lives as long as the process.
   *
   * @param images that a call works through, 0 where there are none
   * @param call from the device it runs on
   */
  final void measure(int images, Function<CpuDevice, Runnable> call) {
    CpuDevice device = Device.cpu(threads);
    this.call = call.apply(device);
    device.memory().resetPeak();
    this.call.run();
    Extra.put(Extra.PEAK_BYTES, device.memory().peak());
    if (images > 0) {
      Extra.put(Extra.IMAGES, images);
    }
  }

  static String method(BenchmarkParams parameters) {
    String name = parameters.getBenchmark();
    return name.substring(name.lastIndexOf('.') + 1);
  }

  final void call() {
    call.run();
  }
}
