package dev.fovea.bench;

import dev.fovea.kernels.cuda.Driver;
import dev.fovea.kernels.cuda.JcudaDriver;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.cuda.Launch;
import dev.fovea.kernels.cuda.StubLibrary;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What one launch costs the host, without what a GPU's driver adds to it: the driver library is a stub that returns at
 * once, compiled here. Ten arguments. Add {@code -prof gc} for the garbage.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
    value = 3,
    jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED"})
@SuppressWarnings("NullAway.Init") // what open() makes
public class LaunchBenchmark {
  private static final int ARGUMENTS = 10;

  private final Launch launch = new Launch();
  private Path folder;
  private Driver driver;
  private long stream;
  private long function;
  private CUfunction jcudaFunction;
  private CUstream jcudaStream;
  private ByteBuffer slots;
  private Pointer parameters;
  private long value;

  @Setup(Level.Trial)
  public void open() throws IOException, InterruptedException {
    if (!StubLibrary.canCompile()) {
      throw new IllegalStateException("there is no C compiler cc here to make the stub of the driver library");
    }
    folder = Files.createTempDirectory("fovea-stub");
    Path library = folder.resolve("libcuda.so.1");
    System.setProperty("fovea.cuda.library", library.toString());
    StubLibrary.at(library).set("logging", 0);
    driver = JcudaDriver.open(0);
    stream = driver.createStream();
    function = driver.function(driver.load(new KernelBinary("stubbed")), "kernel");
    jcudaStream = new CUstream();
    CUmodule module = new CUmodule();
    JCudaDriver.cuModuleLoadData(module, new byte[64]);
    jcudaFunction = new CUfunction();
    JCudaDriver.cuModuleGetFunction(jcudaFunction, module, "kernel");
    arguments();
  }

  /** One direct buffer: the addresses of the arguments, which lie behind them. */
  private void arguments() {
    slots = ByteBuffer.allocateDirect(2 * ARGUMENTS * Long.BYTES).order(ByteOrder.nativeOrder());
    long first = MemorySegment.ofBuffer(slots).address() + ARGUMENTS * Long.BYTES;
    for (int i = 0; i < ARGUMENTS; i++) {
      slots.putLong(i * Long.BYTES, first + (long) i * Long.BYTES);
    }
    parameters = Pointer.to(slots);
  }

  @TearDown(Level.Trial)
  public void close() throws IOException {
    driver.close();
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  /** As kernels of this library are launched. */
  @Benchmark
  public void fovea() {
    Launch next = launch.reset().grid(128, 1, 1).block(256, 1, 1).shared(1024);
    for (int i = 0; i < ARGUMENTS; i++) {
      next.i64(value++);
    }
    driver.launch(function, next, stream);
  }

  /** JCuda at its best: one buffer that is rewritten. */
  @Benchmark
  public int jcudaOneBuffer() {
    for (int i = 0; i < ARGUMENTS; i++) {
      slots.putLong((ARGUMENTS + i) * Long.BYTES, value++);
    }
    return JCudaDriver.cuLaunchKernel(jcudaFunction, 128, 1, 1, 256, 1, 1, 1024, jcudaStream, parameters, null);
  }

  /** JCuda as its samples use it. */
  @Benchmark
  public int jcudaPointers() {
    Pointer[] pointers = new Pointer[ARGUMENTS];
    for (int i = 0; i < ARGUMENTS; i++) {
      pointers[i] = Pointer.to(new long[] {value++});
    }
    return JCudaDriver.cuLaunchKernel(
        jcudaFunction, 128, 1, 1, 256, 1, 1, 1024, jcudaStream, Pointer.to(pointers), null);
  }
}
