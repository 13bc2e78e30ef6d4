package dev.fovea.bench.gpu;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.bench.gpu.Worker.Step;
import dev.fovea.bench.report.Extra;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.contract.Contract;
import dev.fovea.kernels.contract.KernelCase;
import dev.fovea.kernels.cuda.CudaKernels;
import dev.fovea.kernels.cuda.DeviceInfo;
import dev.fovea.kernels.cuda.Driver;
import dev.fovea.kernels.cuda.MemoryInfo;
import dev.fovea.kernels.reference.ReferenceKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What a {@link Worker} can be asked to do. */
final class Tasks {
  /** Cases above this many operations are timed, but not checked at that size: the reference would take minutes. */
  private static final double CHECKED_FLOPS = 1e9;

  private static final double CHECKED_BYTES = 4e7;
  private static final long COPIED = 1L << 30;
  private static final int LARGE = 8192;

  /** Only cases whose name matches; for a first look, and for tests. */
  private static final Pattern ONLY = Pattern.compile(System.getProperty("fovea.evidence.only", ""));

  private Tasks() {}

  static List<Step> steps(String task, String subject) throws IOException {
    return switch (task) {
      case "device" -> List.of(step("device", subject, Tasks::device));
      case "limits" ->
        List.of(
            step("copy", "1 GiB", Tasks::copy),
            step("gemm", "BF16", (driver, result) -> largeProduct(driver, BF16, result)),
            step("gemm", "F32", (driver, result) -> largeProduct(driver, F32, result)));
      case "check" ->
        only(CaseFamily.named(subject).checked())
            .map(test -> step(test, (driver, result) -> check(test, driver, result)))
            .toList();
      case "time" ->
        only(CaseFamily.named(subject).timed())
            .map(test -> step(test, (driver, result) -> time(test, driver, result)))
            .toList();
      case "models" -> models(Path.of(subject));
      case "vendor" ->
        only(Vendor.cases())
            .map(test -> step(test, (driver, result) -> Vendor.time(test, driver, result)))
            .toList();
      default ->
        throw new IllegalArgumentException(
            "task: got %s, expected device, limits, check, time, models or vendor".formatted(task));
    };
  }

  private static Stream<KernelCase> only(Stream<KernelCase> cases) {
    return cases.filter(test -> ONLY.matcher(test.toString()).find());
  }

  private static List<Step> models(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(at -> Files.exists(at.resolve("expected.safetensors")))
          .sorted()
          .flatMap(at -> Stream.<Step>of(new ModelStep(at, BF16), new ModelStep(at, F32)))
          .toList();
    }
  }

  private static Step step(KernelCase test, BiConsumer<NotingDriver, ObjectNode> work) {
    return step(test.kernel(), test.shape(), work);
  }

  private static Step step(String kernel, String shape, BiConsumer<NotingDriver, ObjectNode> work) {
    return new Step() {
      @Override
      public String kernel() {
        return kernel;
      }

      @Override
      public String shape() {
        return shape;
      }

      @Override
      public void run(NotingDriver driver, ObjectNode result) {
        work.accept(driver, result);
      }
    };
  }

  private static void device(Driver driver, ObjectNode result) {
    DeviceInfo info = driver.info();
    MemoryInfo memory = driver.memory();
    result
        .put("name", info.name())
        .put("capability", info.capability())
        .put("multiprocessors", info.multiprocessors())
        .put("memoryBytes", info.memoryBytes())
        .put("freeBytes", memory.freeBytes())
        .put("l2Bytes", info.l2Bytes())
        .put("driver", "CUDA " + info.cudaVersion());
  }

  private static void check(KernelCase test, Driver driver, ObjectNode result) {
    long stream = driver.createStream();
    try (CudaKernels kernels = CudaKernels.over(driver, stream)) {
      Contract.Errors errors = Contract.check(test, new ReferenceKernels(), kernels, driver, stream, true);
      if (errors.values() > 0) {
        result.put("error", errors.largest()).put("ofTolerance", errors.ofTolerance());
      }
    }
    driver.destroyStream(stream);
  }

  private static void time(KernelCase test, NotingDriver driver, ObjectNode result) {
    if (test.flops() <= CHECKED_FLOPS && test.bytes() <= CHECKED_BYTES) {
      check(test, driver, result);
      driver.launched();
    }
    long stream = driver.createStream();
    try (CudaKernels kernels = CudaKernels.over(driver, stream);
        TimingMemory memory = new TimingMemory(driver, stream);
        GpuTimer timer = new GpuTimer(driver, stream)) {
      KernelCase.Call call = test.setup().prepare(memory);
      put(timer.time(() -> call.on(kernels)), result);
    }
    driver.destroyStream(stream);
    result.put("flops", test.flops()).put("bytes", test.bytes());
  }

  private static void copy(Driver driver, ObjectNode result) {
    long stream = driver.createStream();
    try (TimingMemory memory = new TimingMemory(driver, stream);
        GpuTimer timer = new GpuTimer(driver, stream)) {
      long from = memory.normal(F32, COPIED / 4, 1).address();
      long to = memory.workspace(F32, COPIED / 4).address();
      put(timer.time(() -> driver.copy(to, from, COPIED, stream)), result);
    }
    driver.destroyStream(stream);
    result.put("flops", 0).put("bytes", 2.0 * COPIED);
  }

  private static void largeProduct(Driver driver, DType type, ObjectNode result) {
    long stream = driver.createStream();
    try (CudaKernels kernels = CudaKernels.over(driver, stream);
        TimingMemory memory = new TimingMemory(driver, stream);
        GpuTimer timer = new GpuTimer(driver, stream)) {
      long count = (long) LARGE * LARGE;
      Gemm call = new Gemm(Layout.NT, LARGE, LARGE, LARGE)
          .a(memory.normal(type, count, 1), LARGE)
          .b(memory.normal(type, count, 1), LARGE)
          .c(memory.workspace(type, count), LARGE);
      put(timer.time(() -> kernels.gemm().run(call)), result);
    }
    driver.destroyStream(stream);
    result.put("flops", 2.0 * LARGE * LARGE * LARGE).put("bytes", 0);
  }

  private static void put(GpuTimer.Times times, ObjectNode result) {
    result
        .put("micros", times.median())
        .put("low", times.low())
        .put("high", times.high())
        .put(Extra.HOST_MICROS, times.host())
        .put("repetitions", times.repetitions());
  }
}
