import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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
  private static final int[] OLDEST = {12, 4};
  private static final List<String> PORTABLE = List.of("80", "86", "89", "90", "100", "120");
  private static final Pattern TARGET = Pattern.compile("(?m)^// target: (\\w+)$");
  private static final Pattern LIMIT =
      Pattern.compile("(?m)^// limit (\\S+): (\\d+) registers, (\\d+) spilled bytes, (\\d+) shared bytes$");
  private static final Pattern SLOW = Pattern.compile("\\((C75\\d\\d)\\)");

  private final Path sources;
  private final Path work;
  private final Path fatBinaries;
  private final Path ptx;
  private final Toolkit toolkit;
  private final ExecutorService pool =
      Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
  private final AtomicInteger compiled = new AtomicInteger();

  /** Where the compiler lies, its version, and the GPUs that it knows. */
  private record Toolkit(Path nvcc, Path bin, String version, List<String> targets) {}

  /** One source file: its name, its PTX's target and the GPUs that get machine code. */
  private record Family(String name, Path source, String virtual, List<String> targets) {}

  /** What kernels of some names may use, and what one of them does use on one GPU. */
  private record Limit(String names, int registers, int spilled, int shared) {
    boolean covers(String kernel) {
      return kernel.matches(names.replace("*", ".*"));
    }
  }

  private Cuda(Path sources, Path target, Toolkit toolkit) {
    this.sources = sources;
    this.toolkit = toolkit;
    work = target.resolve("cuda");
    fatBinaries = target.resolve("classes/dev/fovea/kernels/cuda");
    ptx = target.resolve("test-classes/dev/fovea/kernels/ptx");
  }

  public static void main(String[] args) throws Exception {
    Path sources = Path.of(args[0]).toRealPath();
    Path target = Path.of(args[1]).toAbsolutePath();
    Toolkit toolkit = toolkit();
    if (toolkit == null) {
      new Cuda(sources, target, new Toolkit(sources, sources, "", List.of())).forget(List.of());
      System.out.println(
          "CUDA: nvcc %d.%d or later was not found (CUDA_HOME, PATH, /usr/local/cuda): GPU kernels are not"
                  .formatted(OLDEST[0], OLDEST[1])
              + " built, their tests are skipped, everything runs on CPU");
      return;
    }
    Cuda build = new Cuda(sources, target, toolkit);
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
    Files.createDirectories(fatBinaries);
    Files.createDirectories(ptx);
    List<Family> families = families();
    forget(families.stream().map(Family::name).toList());
    List<CompletableFuture<Void>> all = families.stream().map(this::build).toList();
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).join();
    report(families);
    if (compiled.get() > 0) {
      System.out.printf(
          Locale.ROOT,
          "CUDA: nvcc %s compiled %d of %d files of kernels in %.1f s%n",
          toolkit.version,
          compiled.get(),
          families.size(),
          (System.nanoTime() - start) * 1e-9);
    }
  }

  // The toolkit

  private static Toolkit toolkit() throws IOException, InterruptedException {
    for (Path nvcc : candidates()) {
      if (!Files.isExecutable(nvcc)) {
        continue;
      }
      Matcher version =
          Pattern.compile("release (\\d+)\\.(\\d+)").matcher(output(List.of(nvcc.toString(), "--version")));
      if (!version.find() || isOlder(Integer.parseInt(version.group(1)), Integer.parseInt(version.group(2)))) {
        continue;
      }
      // nvcc may be a script that runs the real one: that one knows where it is.
      Matcher here = Pattern.compile("(?m)^#\\$ _HERE_=(.*)$")
          .matcher(output(List.of(nvcc.toString(), "--dryrun", "-ptx", "-x", "cu", "/dev/null", "-o", "/dev/null")));
      Path bin =
          here.find() ? Path.of(here.group(1).strip()) : nvcc.toRealPath().getParent();
      List<String> targets = Pattern.compile("sm_(\\w+)")
          .matcher(output(List.of(nvcc.toString(), "--list-gpu-code")))
          .results()
          .map(found -> found.group(1))
          .toList();
      return new Toolkit(nvcc, bin, version.group(1) + "." + version.group(2), targets);
    }
    return null;
  }

  private static boolean isOlder(int major, int minor) {
    return major < OLDEST[0] || major == OLDEST[0] && minor < OLDEST[1];
  }

  private static List<Path> candidates() throws IOException {
    List<Path> homes = new ArrayList<>();
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
      if (System.getenv(variable) != null) {
        homes.add(Path.of(System.getenv(variable), "bin"));
      }
    }
    for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
      homes.add(Path.of(folder));
    }
    homes.add(Path.of("/usr/local/cuda/bin"));
    homes.add(Path.of("/opt/cuda/bin"));
    return homes.stream().map(home -> home.resolve("nvcc")).toList();
  }

  // The sources

  private List<Family> families() throws IOException {
    List<Family> families = new ArrayList<>();
    try (Stream<Path> files = Files.list(sources)) {
      for (Path source :
          files.filter(file -> file.toString().endsWith(".cu")).sorted().toList()) {
        String name = source.getFileName().toString().replace(".cu", "");
        Matcher only = TARGET.matcher(Files.readString(source));
        families.add(
            only.find()
                ? new Family(name, source, only.group(1), List.of(only.group(1)))
                : new Family(name, source, PORTABLE.getFirst(), known()));
      }
    }
    return families;
  }

  private List<String> known() {
    return PORTABLE.stream().filter(toolkit.targets::contains).toList();
  }

  /** Deletes what was made of sources that are no more. */
  private void forget(List<String> families) throws IOException {
    for (Path folder : List.of(fatBinaries, ptx)) {
      if (Files.isDirectory(folder)) {
        try (Stream<Path> made = Files.list(folder)) {
          for (Path file :
              made.filter(f -> f.toString().matches(".*\\.(fatbin|ptx)")).toList()) {
            if (!families.contains(file.getFileName().toString().replaceAll("\\..*", ""))) {
              Files.delete(file);
            }
          }
        }
      }
    }
    if (families.isEmpty()) {
      Files.deleteIfExists(work.resolve("report.json"));
      Files.deleteIfExists(fatBinaries.resolve("kernels.properties"));
    }
  }

  // Compiling

  private CompletableFuture<Void> build(Family family) {
    return task(() -> isUpToDate(family) || restore(family))
        .thenCompose(done -> done
            ? task(() -> keep(family))
            : task(() -> toPtx(family))
                .thenCompose(translated -> CompletableFuture.allOf(family.targets.stream()
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
    Path stamp = stamp(family);
    return Files.exists(stamp)
        && Files.exists(fatBinary(family))
        && Files.exists(testPtx(family))
        && Files.exists(dependencies(family))
        && Files.readString(stamp).equals(state(family));
  }

  private Void toPtx(Family family) throws IOException, InterruptedException {
    Files.createDirectories(folder(family));
    Files.deleteIfExists(stamp(family));
    run(family, ptxCommand(family));
    // Sources by their place in the project: the same bytes wherever it is built.
    String text = Files.readString(file(family, "ptx")).replace(sources.getParent() + "/", "");
    Files.writeString(file(family, "ptx"), text);
    return null;
  }

  private Void toMachineCode(Family family, String target) throws IOException, InterruptedException {
    String log = run(family, machineCommand(family, target));
    Matcher slow = SLOW.matcher(log);
    if (slow.find()) {
      throw new IOException(family.name + ".cu for sm_" + target + ": " + slow.group(1) + "\n" + log);
    }
    Files.writeString(file(family, target + ".log"), log);
    return null;
  }

  private Void toFatBinary(Family family) throws IOException, InterruptedException {
    run(family, fatBinaryCommand(family));
    install(family);
    compiled.incrementAndGet();
    return null;
  }

  private void install(Family family) throws IOException {
    Files.move(file(family, "fatbin"), fatBinary(family), StandardCopyOption.REPLACE_EXISTING);
    Files.copy(file(family, "ptx"), testPtx(family), StandardCopyOption.REPLACE_EXISTING);
    Files.writeString(stamp(family), state(family));
  }

  private List<String> ptxCommand(Family family) {
    return List.of(
        toolkit.nvcc.toString(),
        "-ptx",
        "-arch=compute_" + family.virtual,
        "-std=c++17",
        "-lineinfo",
        "-Werror",
        "all-warnings",
        "-I",
        sources.resolve("include").toString(),
        "-MD",
        "-MF",
        dependencies(family).toString(),
        family.source.toString(),
        "-o",
        file(family, "ptx").toString());
  }

  private List<String> machineCommand(Family family, String target) {
    return List.of(
        toolkit.bin.resolve("ptxas").toString(),
        "-arch=sm_" + target,
        "-v",
        "-Werror",
        "--generate-line-info",
        file(family, "ptx").toString(),
        "-o",
        file(family, target + ".cubin").toString());
  }

  private List<String> fatBinaryCommand(Family family) {
    List<String> command = new ArrayList<>();
    command.add(toolkit.bin.resolve("fatbinary").toString());
    command.add("--create=" + file(family, "fatbin"));
    command.add("-64");
    command.add("-compress-all");
    for (String target : family.targets) {
      command.add("--image3=kind=elf,sm=" + target + ",file=" + file(family, target + ".cubin"));
    }
    command.add("--image3=kind=ptx,sm=" + family.virtual + ",file=" + file(family, "ptx"));
    return command;
  }

  private static String run(Family family, List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new IOException(family.name + ".cu does not compile:\n" + output);
    }
    return output;
  }

  private static String output(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    process.waitFor();
    return output;
  }

  // What a result was made of

  /** A digest of the compiler, the commands and the project's files that the last compilation read. */
  private String state(Family family) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update((toolkit.version + ptxCommand(family) + family.targets + fatBinaryCommand(family)).getBytes());
      for (String name : Files.readString(dependencies(family)).split("[\\s\\\\]+")) {
        Path file = Path.of(name);
        if (file.startsWith(sources) && !name.endsWith(":")) {
          digest.update(name.getBytes());
          digest.update(Files.exists(file) ? Files.readAllBytes(file) : new byte[0]);
        }
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private Path folder(Family family) {
    return work.resolve(family.name);
  }

  private Path file(Family family, String ending) {
    return folder(family).resolve(family.name + "." + ending);
  }

  private Path dependencies(Family family) {
    return file(family, "d");
  }

  private Path stamp(Family family) {
    return folder(family).resolve("stamp");
  }

  private Path fatBinary(Family family) {
    return fatBinaries.resolve(family.name + ".fatbin");
  }

  private Path testPtx(Family family) {
    return ptx.resolve(family.name + ".ptx");
  }

  // What other checkouts have compiled already

  /** Where results are kept by what they were made of, for every checkout of this user. */
  private static Path cache() {
    String folder = System.getenv("FOVEA_CUDA_CACHE");
    return folder != null ? Path.of(folder) : Path.of(System.getProperty("user.home"), ".cache", "fovea", "cuda");
  }

  /** A digest of the compiler, the commands, the family's source and everything that it could include. */
  private Path kept(Family family) throws IOException {
    try (Stream<Path> included = Files.walk(sources.resolve("include"))) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      String commands = toolkit.version + ptxCommand(family) + family.targets + fatBinaryCommand(family);
      digest.update(here(commands).getBytes());
      for (Path file : Stream.concat(
              Stream.of(family.source), included.filter(Files::isRegularFile).sorted())
          .toList()) {
        digest.update(here(file.toString()).getBytes());
        digest.update(Files.readAllBytes(file));
      }
      return cache().resolve(family.name + "-" + HexFormat.of().formatHex(digest.digest()));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** Without the place of this checkout. */
  private String here(String text) {
    return text.replace(work.toString(), "@WORK@")
        .replace(sources.toString(), "@SOURCES@")
        .replace(toolkit.nvcc.getParent().toString(), "@NVCC@");
  }

  private boolean restore(Family family) throws IOException {
    Path from = kept(family);
    if (!Files.isDirectory(from)) {
      return false;
    }
    Files.createDirectories(folder(family));
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, folder(family).resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    String read = Files.readString(dependencies(family));
    Files.writeString(
        dependencies(family), read.replace("@WORK@", work.toString()).replace("@SOURCES@", sources.toString()));
    install(family);
    return true;
  }

  private Void keep(Family family) throws IOException {
    Path to = kept(family);
    if (Files.isDirectory(to)) {
      return null;
    }
    Files.createDirectories(to.getParent());
    Path parts = Files.createTempDirectory(to.getParent(), "new");
    Files.copy(fatBinary(family), parts.resolve(family.name + ".fatbin"));
    Files.copy(file(family, "ptx"), parts.resolve(family.name + ".ptx"));
    Files.writeString(parts.resolve(family.name + ".d"), here(Files.readString(dependencies(family))));
    for (String target : family.targets) {
      Files.copy(file(family, target + ".log"), parts.resolve(family.name + "." + target + ".log"));
    }
    try {
      Files.move(parts, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      // Somebody else has kept the same just now.
      try (Stream<Path> files = Files.list(parts)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(parts);
    }
    return null;
  }

  // The report

  private void report(List<Family> families) throws IOException {
    List<String> lines = new ArrayList<>();
    StringBuilder made = new StringBuilder();
    for (Family family : families) {
      List<Limit> limits = LIMIT
          .matcher(Files.readString(family.source))
          .results()
          .map(m -> new Limit(m.group(1), number(m.group(2)), number(m.group(3)), number(m.group(4))))
          .toList();
      for (String target : family.targets) {
        used(Files.readString(file(family, target + ".log")))
            .forEach((kernel, uses) -> lines.add(line(family, target, kernel, uses, limits)));
      }
      made.append("family.%s=%s %s\n"
          .formatted(
              family.name,
              sourcesOf(family),
              String.join(
                  " ",
                  used(Files.readString(file(family, family.targets.getFirst() + ".log")))
                      .keySet())));
    }
    Files.writeString(
        work.resolve("report.json"),
        "{\"toolkit\": \"" + toolkit.version + "\", \"kernels\": [\n" + String.join(",\n", lines) + "\n]}\n");
    Files.writeString(
        fatBinaries.resolve("kernels.properties"),
        "# How the fat binaries beside this were made.\ntoolkit=" + toolkit.version + "\ntargets="
            + families.stream()
                .flatMap(family -> family.targets.stream())
                .distinct()
                .map(target -> "sm_" + target)
                .collect(Collectors.joining(" "))
            + "\n" + made);
  }

  /** A short digest of the project's files that a family is made of: what has changed if it changes. */
  private String sourcesOf(Family family) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Path file : Stream.of(Files.readString(dependencies(family)).split("[\\s\\\\]+"))
          .filter(name -> !name.endsWith(":"))
          .map(Path::of)
          .filter(file -> file.startsWith(sources))
          .sorted()
          .toList()) {
        digest.update(sources.relativize(file).toString().getBytes());
        digest.update(Files.readAllBytes(file));
      }
      return HexFormat.of().formatHex(digest.digest(), 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** What the assembler said about each kernel. */
  private static Map<String, Limit> used(String log) {
    Map<String, Limit> used = new TreeMap<>();
    for (String part : log.split("Compiling entry function '")) {
      Matcher registers = Pattern.compile("Used (\\d+) registers").matcher(part);
      if (registers.find()) {
        int spilled = found(part, "(\\d+) bytes spill stores") + found(part, "(\\d+) bytes spill loads");
        String kernel = part.substring(0, part.indexOf('\''));
        used.put(kernel, new Limit(kernel, number(registers.group(1)), spilled, found(part, "(\\d+) bytes smem")));
      }
    }
    return used;
  }

  private static String line(Family family, String target, String kernel, Limit uses, List<Limit> limits) {
    String limit = limits.stream()
        .filter(one -> one.covers(kernel))
        .findFirst()
        .map(one -> "{" + fields(one) + "}")
        .orElse("null");
    return "  {\"family\": \"%s\", \"kernel\": \"%s\", \"target\": \"sm_%s\", %s, \"limit\": %s}"
        .formatted(family.name, kernel, target, fields(uses), limit);
  }

  private static String fields(Limit limit) {
    return "\"registers\": %d, \"spilled\": %d, \"shared\": %d".formatted(limit.registers, limit.spilled, limit.shared);
  }

  private static int found(String text, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    return matcher.find() ? number(matcher.group(1)) : 0;
  }

  private static int number(String digits) {
    return Integer.parseInt(digits);
  }
}
