import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** One source file: its name, its PTX's target and the GPUs that get machine code. */
record Family(String name, Path source, String virtual, List<String> targets) {
  private static final List<String> PORTABLE = List.of("80", "86", "89", "90", "100", "120");
  private static final Pattern TARGET = Pattern.compile("(?m)^// target: (\\w+)$");

  /** Those of a folder, in the order of their names. */
  static List<Family> all(Path sources, Toolkit toolkit) throws IOException {
    List<String> known = PORTABLE.stream().filter(toolkit.targets()::contains).toList();
    List<Family> families = new ArrayList<>();
    try (Stream<Path> files = Files.list(sources)) {
      for (Path source :
          files.filter(file -> file.toString().endsWith(".cu")).sorted().toList()) {
        String name = source.getFileName().toString().replace(".cu", "");
        Matcher only = TARGET.matcher(Files.readString(source));
        families.add(
            only.find()
                ? new Family(name, source, only.group(1), List.of(only.group(1)))
                : new Family(name, source, PORTABLE.getFirst(), known));
      }
    }
    return families;
  }
}
