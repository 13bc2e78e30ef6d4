package dev.fovea.project;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example in the README compiles, runs, and prints what stands under it. */
class ReadmeTest {
  private static final Path README = Path.of("..", "README.md");

  @Test
  void exampleRunsAsPrinted(@TempDir Path folder) throws IOException, InterruptedException {
    String example = between(Files.readString(README), "<!-- example:begin -->", "<!-- example:end -->");
    Path source = Files.writeString(folder.resolve("Example.java"), block(example, "java"));
    Jdk.Result result = Jdk.java(
        "--add-modules",
        "jdk.incubator.vector",
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        System.getProperty("java.class.path"),
        source.toString());
    assertEquals(0, result.exitCode(), result.err());
    assertEquals(block(example, "text").strip(), result.out().strip());
  }

  private static String between(String text, String begin, String end) {
    int from = text.indexOf(begin);
    int to = text.indexOf(end);
    assertTrue(from >= 0 && to > from, README + " has no region " + begin + " ... " + end);
    return text.substring(from + begin.length(), to);
  }

  private static String block(String text, String language) {
    var matcher =
        Pattern.compile("```" + language + "\\R(.*?)```", Pattern.DOTALL).matcher(text);
    assertTrue(matcher.find(), "no ```" + language + " block in:" + text);
    return matcher.group(1);
  }
}
