import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.JavaFormatterOptions;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Formats every Java source below a folder, or checks that it is formatted: {@code Format.java check|apply FOLDER}.
 * palantir-java-format with two spaces and 120 columns. It needs the compiler of the JDK whose syntax it reads, so it
 * runs as a program of its own with the project's JDK and not inside Maven's.
 */
public final class Format {
  private Format() {}

  public static void main(String[] args) throws Exception {
    boolean apply = args[0].equals("apply");
    Path root = Path.of(args[1]).toRealPath();
    useLongLines();
    Formatter formatter = formatter(true);
    Formatter plain = formatter(false); // reflowing Javadoc would join the lines of a {@snippet}
    List<Path> sources = sources(root);
    AtomicInteger different = new AtomicInteger();
    sources.parallelStream().forEach(path -> {
      try {
        String text = Files.readString(path);
        String wanted = (text.contains("{@snippet") ? plain : formatter).formatSourceAndFixImports(text);
        if (wanted.equals(text)) {
          return;
        }
        different.incrementAndGet();
        System.out.println((apply ? "formatted " : "not formatted: ") + root.relativize(path));
        if (apply) {
          Files.writeString(path, wanted);
        }
      } catch (Exception e) {
        throw new IllegalStateException(path + ": " + e.getMessage(), e);
      }
    });
    if (different.get() > 0 && !apply) {
      Files.writeString(root.resolve("target/not-formatted"), different + " files\n");
    }
  }

  /** Google's style (two spaces) on lines of 120, a pair that the formatter's own styles do not have. */
  private static void useLongLines() throws ReflectiveOperationException {
    var length = JavaFormatterOptions.Style.class.getDeclaredField("maxLineLength");
    length.setAccessible(true);
    length.setInt(JavaFormatterOptions.Style.GOOGLE, 120);
  }

  private static Formatter formatter(boolean javadoc) {
    return Formatter.createFormatter(JavaFormatterOptions.builder()
        .style(JavaFormatterOptions.Style.GOOGLE)
        .formatJavadoc(javadoc)
        .build());
  }

  private static List<Path> sources(Path root) throws IOException {
    List<Path> sources = new ArrayList<>();
    Files.walkFileTree(root, new SimpleFileVisitor<>() {
      @Override
      public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
        String name = folder.getFileName().toString();
        boolean skip = name.equals("target") || (name.startsWith(".") && !name.equals(".mvn"));
        return skip && !folder.equals(root) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
      }

      @Override
      public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
        if (file.toString().endsWith(".java")) {
          sources.add(file);
        }
        return FileVisitResult.CONTINUE;
      }
    });
    return sources;
  }
}
