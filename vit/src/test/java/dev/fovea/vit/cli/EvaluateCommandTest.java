package dev.fovea.vit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A finished run is judged again from the command line. */
final class EvaluateCommandTest {
  private static final int PICTURES = 40;

  @TempDir
  private static Path folder;

  private static Path trained = Path.of("");

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(Object... args) {
    return run(out, err, args);
  }

  private static int run(StringWriter out, StringWriter err, Object... args) {
    String[] words = Stream.of(args).map(Object::toString).toArray(String[]::new);
    return Fovea.run(new PrintWriter(out, true), new PrintWriter(err, true), words);
  }

  @BeforeAll
  static void train() {
    trained = folder.resolve("run");
    StringWriter err = new StringWriter();
    int code = run(
        new StringWriter(),
        err,
        "train",
        "--image-size=16",
        "--width=16",
        "--depth=1",
        "--batch=8",
        "--steps=4",
        "--device=cpu",
        "--set=data.val_size=" + PICTURES,
        "--out",
        trained);
    assertEquals(0, code, err.toString());
  }

  /** What it says is what the run itself found at its end. */
  @Test
  void saysWhatTheRunFound() throws IOException {
    ObjectMapper json = new ObjectMapper();
    JsonNode last =
        json.readTree(Files.readAllLines(trained.resolve("metrics.jsonl")).getLast());
    double accuracy = last.get("val_accuracy").asDouble();
    double loss = last.get("val_loss").asDouble();
    assertEquals(0, run("evaluate", trained), err.toString());
    List<String> lines = out.toString().lines().toList();
    assertEquals(
        "accuracy %.1f %%, loss %.3f on %d pictures of shapes".formatted(100 * accuracy, loss, PICTURES),
        lines.getFirst());
    assertEquals(12, lines.size(), "a line for each of ten classes, and the shape bias: " + out);
    assertTrue(lines.get(1).matches("  \\w+ +[\\d.]+ %(, else mostly \\w+)?"), lines.get(1));
    assertTrue(lines.getLast().startsWith("shape bias "), lines.getLast());
    assertTrue(lines.getLast().contains("of %d pictures whose texture".formatted(PICTURES)), lines.getLast());

    out.getBuffer().setLength(0);
    assertEquals(0, run("evaluate", "--json", trained), err.toString());
    JsonNode all = json.readTree(out.toString());
    assertEquals("shapes", all.get("data").asText());
    assertEquals(accuracy, all.get("accuracy").asDouble());
    assertEquals(loss, all.get("loss").asDouble());
    assertEquals(10, all.get("class_accuracy").size());
    assertEquals(PICTURES, all.get("shape_bias").get("pictures").asInt());
    assertEquals("", err.toString());
  }

  @Test
  void takesOtherPicturesOfTheSameClasses() {
    assertEquals(0, run("evaluate", trained, "--data", "shapes:conflict"), err.toString());
    assertTrue(out.toString().contains("on %d pictures of shapes:conflict".formatted(PICTURES)), out.toString());
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    assertEquals(2, run("evaluate"));
    assertTrue(err.toString().contains("Missing required parameter: 'RUN'"), err.toString());
    assertEquals(1, run("evaluate", folder.resolve("none")));
    assertTrue(err.toString().contains(folder.resolve("none") + ": holds no run"), err.toString());
    Path begun = Files.createDirectories(folder.resolve("begun"));
    Files.copy(trained.resolve("run.yaml"), begun.resolve("run.yaml"));
    assertEquals(1, run("evaluate", begun));
    assertTrue(err.toString().contains(begun + ": is not finished; go on with it with --resume"), err.toString());
    assertEquals(1, run("evaluate", trained, "--data", "cats"));
    assertTrue(err.toString().contains("data: got cats"), err.toString());
    assertEquals("", out.toString());
    assertFalse(err.toString().contains("Exception"), err.toString());
  }
}
