import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.stream.Stream;

/** Results by what they were made of, for every checkout of this user. */
record Cache(Places places, Digests digests) {
  private Path kept(Family family) throws IOException {
    String folder = System.getenv("FOVEA_CUDA_CACHE");
    Path all = folder != null ? Path.of(folder) : Path.of(System.getProperty("user.home"), ".cache", "fovea", "cuda");
    return all.resolve(family.name() + "-" + digests.anywhere(family));
  }

  /** Fetches what another checkout has compiled into this one's folder of work; false if none has. */
  boolean restore(Family family) throws IOException {
    Path from = kept(family);
    if (!Files.isDirectory(from)) {
      return false;
    }
    Files.createDirectories(places.folder(family));
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, places.folder(family).resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    Path dependencies = places.dependencies(family);
    Files.writeString(
        dependencies,
        Files.readString(dependencies)
            .replace("@WORK@", places.work().toString())
            .replace("@SOURCES@", places.sources().toString()));
    return true;
  }

  /** Keeps what this checkout has compiled. */
  void keep(Family family) throws IOException {
    Path to = kept(family);
    if (Files.isDirectory(to)) {
      return;
    }
    Files.createDirectories(to.getParent());
    Path parts = Files.createTempDirectory(to.getParent(), "new");
    Files.copy(places.fatBinary(family), parts.resolve(family.name() + ".fatbin"));
    Files.copy(places.file(family, "ptx"), parts.resolve(family.name() + ".ptx"));
    Files.writeString(parts.resolve(family.name() + ".d"), digests.here(Files.readString(places.dependencies(family))));
    for (String target : family.targets()) {
      String log = family.name() + "." + target + ".log";
      Files.copy(places.folder(family).resolve(log), parts.resolve(log));
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
  }
}
