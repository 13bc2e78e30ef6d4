import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Compiles {@code src-cuda/*.cu}, one fat binary each: {@code Cuda.java SOURCES TARGET} with the {@code target} folder
 * of the kernels module. Each file becomes PTX once; that same PTX is what tests execute, what becomes machine code for
 * each GPU, and what the fat binary keeps for GPUs that come later. What has not changed is not compiled again, nor
 * what another checkout has compiled ({@code FOVEA_CUDA_CACHE}, or {@code ~/.cache/fovea/cuda}). Without {@code nvcc}
 * it says so in one line and makes nothing.
 *
 * <p>A file that says {@code // target: 90a} is compiled for that GPU alone. A comment {@code // limit NAMES: 64
 * registers, 0 spilled bytes, 0 shared bytes} states what kernels of these names (with * for anything) may use; tests
 * compare it with the report.
 */
public final class Cuda {
  private static final Pattern SLOW = Pattern.compile("\\((C75\\d\\d)\\)");

  private final Places places;
  private final Toolkit toolkit;
  private final Digests digests;
  private final Cache cache;
  private final ExecutorService pool =
      Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
  private final AtomicInteger compiled = new AtomicInteger();

  private Cuda(Places places, Toolkit toolkit) {
    this.places = places;
    this.toolkit = toolkit;
    digests = new Digests(places, toolkit);
    cache = new Cache(places, digests);
  }

  public static void main(String[] args) throws Exception {
    Places places = Places.of(Path.of(args[0]).toRealPath(), Path.of(args[1]).toAbsolutePath());
    Toolkit toolkit = Toolkit.find();
    if (toolkit == null) {
      places.forget(List.of());
      System.out.println(
          "CUDA: nvcc %d.%d or later was not found (CUDA_HOME, PATH, /usr/local/cuda): GPU kernels are not"
                  .formatted(Toolkit.OLDEST[0], Toolkit.OLDEST[1])
              + " built, their tests are skipped, everything runs on CPU");
      return;
    }
    Cuda build = new Cuda(places, toolkit);
    try {
      build.run();
    } catch (CompletionException e) {
      System.err.println("CUDA: " + e.getCause().getMessage());
      System.exit(1);
    } finally {
      build.pool.shutdownNow();
    }
  }

  private void run() throws IOException {
    long start = System.nanoTime();
    Files.createDirectories(places.fatBinaries());
    Files.createDirectories(places.ptx());
    List<Family> families = Family.all(places.sources(), toolkit);
    places.forget(families.stream().map(Family::name).toList());
    List<CompletableFuture<Void>> all = families.stream().map(this::build).toList();
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).join();
    new Report(places, toolkit, digests).write(families);
    if (compiled.get() > 0) {
      System.out.printf(
          Locale.ROOT,
          "CUDA: nvcc %s compiled %d of %d files of kernels in %.1f s%n",
          toolkit.version(),
          compiled.get(),
          families.size(),
          (System.nanoTime() - start) * 1e-9);
    }
  }

  private CompletableFuture<Void> build(Family family) {
    return task(() -> isUpToDate(family) || restore(family))
        .thenCompose(done -> done
            ? task(() -> keep(family))
            : task(() -> toPtx(family))
                .thenCompose(translated -> CompletableFuture.allOf(family.targets().stream()
                    .map(target -> task(() -> toMachineCode(family, target)))
                    .toArray(CompletableFuture[]::new)))
                .thenCompose(assembled -> task(() -> toFatBinary(family)))
                .thenCompose(linked -> task(() -> keep(family))));
  }

  private <T> CompletableFuture<T> task(Callable<T> work) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return work.call();
          } catch (Exception e) {
            throw new CompletionException(e);
          }
        },
        pool);
  }

  private boolean isUpToDate(Family family) throws IOException {
    Path stamp = places.stamp(family);
    return Files.exists(stamp)
        && Files.exists(places.fatBinary(family))
        && Files.exists(places.testPtx(family))
        && Files.exists(places.dependencies(family))
        && Files.readString(stamp).equals(digests.state(family));
  }

  private Void toPtx(Family family) throws IOException, InterruptedException {
    Files.createDirectories(places.folder(family));
    Files.deleteIfExists(places.stamp(family));
    Toolkit.run(family, toolkit.ptxCommand(places, family));
    // Sources by their place in the project: the same bytes wherever it is built.
    Path ptx = places.file(family, "ptx");
    Files.writeString(ptx, Files.readString(ptx).replace(places.sources().getParent() + "/", ""));
    return null;
  }

  private Void toMachineCode(Family family, String target) throws IOException, InterruptedException {
    String log = Toolkit.run(family, toolkit.machineCommand(places, family, target));
    Matcher slow = SLOW.matcher(log);
    if (slow.find()) {
      throw new IOException(family.name() + ".cu for sm_" + target + ": " + slow.group(1) + "\n" + log);
    }
    Files.writeString(places.file(family, target + ".log"), log);
    return null;
  }

  private Void toFatBinary(Family family) throws IOException, InterruptedException {
    Toolkit.run(family, toolkit.fatBinaryCommand(places, family));
    install(family);
    compiled.incrementAndGet();
    return null;
  }

  private boolean restore(Family family) throws IOException {
    if (!cache.restore(family)) {
      return false;
    }
    install(family);
    return true;
  }

  private void install(Family family) throws IOException {
    Files.move(places.file(family, "fatbin"), places.fatBinary(family), StandardCopyOption.REPLACE_EXISTING);
    Files.copy(places.file(family, "ptx"), places.testPtx(family), StandardCopyOption.REPLACE_EXISTING);
    Files.writeString(places.stamp(family), digests.state(family));
  }

  private Void keep(Family family) throws IOException {
    cache.keep(family);
    return null;
  }
}
