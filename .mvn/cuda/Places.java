import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Where everything lies: sources, what is made on the way, and what becomes part of the build. */
record Places(Path sources, Path work, Path fatBinaries, Path ptx) {
  static Places of(Path sources, Path target) {
    return new Places(
        sources,
        target.resolve("cuda"),
        target.resolve("classes/dev/fovea/kernels/cuda"),
        target.resolve("test-classes/dev/fovea/kernels/ptx"));
  }

  Path folder(Family family) {
    return work.resolve(family.name());
  }

  Path file(Family family, String ending) {
    return folder(family).resolve(family.name() + "." + ending);
  }

  /** The files that the last compilation read. */
  Path dependencies(Family family) {
    return file(family, "d");
  }

  /** What the last compilation was made of. */
  Path stamp(Family family) {
    return folder(family).resolve("stamp");
  }

  Path fatBinary(Family family) {
    return fatBinaries.resolve(family.name() + ".fatbin");
  }

  Path testPtx(Family family) {
    return ptx.resolve(family.name() + ".ptx");
  }

  /** Deletes what was made of sources that are no more. */
  void forget(List<String> families) throws IOException {
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
}
