import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where the compiler lies, its version, and the GPUs that it knows; and how it is called. */
record Toolkit(Path nvcc, Path bin, String version, List<String> targets) {
  /** The oldest version that will do. */
  static final int[] OLDEST = {12, 4};

  /** The first one on this machine that will do, or null. */
  static Toolkit find() throws IOException, InterruptedException {
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

  /** A source file to PTX. */
  List<String> ptxCommand(Places places, Family family) {
    return List.of(
        nvcc.toString(),
        "-ptx",
        "-arch=compute_" + family.virtual(),
        "-std=c++17",
        "-lineinfo",
        "-Werror",
        "all-warnings",
        "-I",
        places.sources().resolve("include").toString(),
        "-MD",
        "-MF",
        places.dependencies(family).toString(),
        family.source().toString(),
        "-o",
        places.file(family, "ptx").toString());
  }

  /** PTX to the machine code of one GPU. */
  List<String> machineCommand(Places places, Family family, String target) {
    return List.of(
        bin.resolve("ptxas").toString(),
        "-arch=sm_" + target,
        "-v",
        "-Werror",
        "--generate-line-info",
        places.file(family, "ptx").toString(),
        "-o",
        places.file(family, target + ".cubin").toString());
  }

  /** Everything into one binary. */
  List<String> fatBinaryCommand(Places places, Family family) {
    List<String> command = new ArrayList<>();
    command.add(bin.resolve("fatbinary").toString());
    command.add("--create=" + places.file(family, "fatbin"));
    command.add("-64");
    command.add("-compress-all");
    for (String target : family.targets()) {
      command.add("--image3=kind=elf,sm=" + target + ",file=" + places.file(family, target + ".cubin"));
    }
    command.add("--image3=kind=ptx,sm=" + family.virtual() + ",file=" + places.file(family, "ptx"));
    return command;
  }

  /** Runs one of these; what it said. */
  static String run(Family family, List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new IOException(family.name() + ".cu does not compile:\n" + output);
    }
    return output;
  }

  private static String output(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    process.waitFor();
    return output;
  }
}
