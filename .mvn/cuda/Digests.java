import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.stream.Stream;

/** What results were made of, in short. */
record Digests(Places places, Toolkit toolkit) {
  /** Of the compiler, the commands and the project's files that the last compilation read. */
  String state(Family family) throws IOException {
    MessageDigest digest = sha256();
    digest.update(commands(family).getBytes());
    for (String name : Files.readString(places.dependencies(family)).split("[\\s\\\\]+")) {
      Path file = Path.of(name);
      if (file.startsWith(places.sources()) && !name.endsWith(":")) {
        digest.update(name.getBytes());
        digest.update(Files.exists(file) ? Files.readAllBytes(file) : new byte[0]);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Of the compiler, the commands, the source and everything that it could include, wherever the checkout lies. */
  String anywhere(Family family) throws IOException {
    try (Stream<Path> included = Files.walk(places.sources().resolve("include"))) {
      MessageDigest digest = sha256();
      digest.update(here(commands(family)).getBytes());
      for (Path file : Stream.concat(
              Stream.of(family.source()), included.filter(Files::isRegularFile).sorted())
          .toList()) {
        digest.update(here(file.toString()).getBytes());
        digest.update(Files.readAllBytes(file));
      }
      return HexFormat.of().formatHex(digest.digest());
    }
  }

  /** Of the project's files that a family is made of: what has changed if it changes. */
  String sources(Family family) throws IOException {
    MessageDigest digest = sha256();
    for (Path file : Stream.of(Files.readString(places.dependencies(family)).split("[\\s\\\\]+"))
        .filter(name -> !name.endsWith(":"))
        .map(Path::of)
        .filter(file -> file.startsWith(places.sources()))
        .sorted()
        .toList()) {
      digest.update(places.sources().relativize(file).toString().getBytes());
      digest.update(Files.readAllBytes(file));
    }
    return HexFormat.of().formatHex(digest.digest(), 0, 8);
  }

  private String commands(Family family) {
    return toolkit.version()
        + toolkit.ptxCommand(places, family)
        + family.targets()
        + toolkit.fatBinaryCommand(places, family);
  }

  /** Without the place of this checkout. */
  String here(String text) {
    return text.replace(places.work().toString(), "@WORK@")
        .replace(places.sources().toString(), "@SOURCES@")
        .replace(toolkit.nvcc().getParent().toString(), "@NVCC@");
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
