package dev.fovea.vit.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.Npy;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.vit.TinyModel;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that work on pictures: what they print and write, and their exit codes. */
class PictureCommandsTest {
  @TempDir
  private Path folder;

  private Path model;
  private Path red;
  private Path blue;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void write() throws IOException {
    model = TinyModel.write(folder.resolve("model"));
    Files.createDirectories(folder.resolve("pictures/deep"));
    red = picture("pictures/red.png", 0xff0000);
    blue = picture("pictures/deep/blue.png", 0x0000ff);
    Files.writeString(folder.resolve("pictures/notes.txt"), "not a picture");
  }

  private Path picture(String name, int color) throws IOException {
    BufferedImage image = new BufferedImage(50, 40, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 50 * 40; i++) {
      image.setRGB(i % 50, i / 50, color + i % 50 * 0x010101 / 4);
    }
    Path file = folder.resolve(name);
    ImageIO.write(image, "png", file.toFile());
    return file;
  }

  private int run(Object... args) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    String[] words = List.of(args).stream().map(Object::toString).toArray(String[]::new);
    return Fovea.run(new PrintWriter(out, true), new PrintWriter(err, true), words);
  }

  @Test
  void predictPrintsATable() {
    assertEquals(0, run("predict", model, red, blue, "--top", 2), err::toString);
    List<String> lines = out.toString().lines().toList();
    assertEquals(6, lines.size(), out.toString());
    assertEquals(red.toString(), lines.get(0));
    assertTrue(lines.get(1).matches(" +\\d+\\.\\d\\d %  (ant|bee|cat|dog|emu, a bird) *  \\(\\d\\)"), lines.get(1));
    assertEquals(blue.toString(), lines.get(3));
    assertEquals("", err.toString());
  }

  @Test
  void theDeviceAndNumbersCanBeChosen() {
    assertEquals(0, run("predict", model, red, "--device", "cpu", "--dtype", "bf16"), err::toString);
    assertEquals(6, out.toString().lines().count(), out.toString());
    assertEquals(2, run("predict", model, red, "--device", "tpu"));
    assertEquals(
        List.of("--device: got 'tpu', expected cpu, cuda, cuda:0, cuda:1, ... or auto", "See fovea predict --help"),
        err.toString().lines().toList());
  }

  @Test
  void predictPrintsJsonWithLabelsOfAFile() throws IOException {
    Path labels = Files.writeString(folder.resolve("labels.txt"), "a\nb\nc\nd\ne\n\n");
    assertEquals(0, run("predict", model, red, "--labels", labels, "--json", "--top", 5), err::toString);
    JsonNode line = new ObjectMapper().readTree(out.toString());
    assertEquals(red.toString(), line.get("file").asText());
    assertEquals(5, line.get("predictions").size());
    for (JsonNode one : line.get("predictions")) {
      assertEquals(
          "abcde".charAt(one.get("index").asInt()) + "", one.get("label").asText());
    }
    Files.writeString(labels, "a\nb\n");
    assertEquals(1, run("predict", model, red, "--labels", labels));
    assertTrue(err.toString().contains("got 2 names, expected one for each of the model's 5 classes"), err.toString());
  }

  @Test
  void theOthersAreStillLookedAt() throws IOException {
    Path broken = Files.writeString(folder.resolve("pictures/broken.jpg"), "no");
    Path absent = folder.resolve("absent.png");
    assertEquals(1, run("predict", model, broken, red, absent, "--json"));
    assertEquals(1, out.toString().lines().count(), out.toString());
    assertEquals(
        List.of(
            "fovea: " + broken + ": is no picture, expected PNG, JPEG, WebP, BMP or GIF",
            "fovea: " + absent + ": there is no such file",
            "fovea: 2 of 3 pictures could not be read"),
        err.toString().lines().toList());
    assertEquals(1, run("predict", model, red, blue, "--max-pixels", 100));
    assertTrue(err.toString().contains("has 50 x 40 pixels, expected at most 100"), err.toString());
  }

  @Test
  void filesThatAreNotThereAreSaid() {
    Path absent = folder.resolve("absent");
    assertEquals(1, run("predict", model, red, "--labels", absent));
    assertEquals("fovea: " + absent + ": there is no such file", err.toString().strip());
    assertEquals(1, run("predict", model, red, "--labels", folder));
    assertTrue(err.toString().contains(folder + ": is a folder, expected a file"), err.toString());
    assertEquals(2, run("predict", model, red, "--max-pixels", 0));
    assertTrue(err.toString().startsWith("--max-pixels: got 0, expected at least 1"), err.toString());
  }

  @Test
  void whatCannotBeWrittenIsSaidBeforeTheWork() {
    Path absent = folder.resolve("absent");
    Path nowhere = absent.resolve("e.npy");
    assertEquals(1, run("embed", folder.resolve("no model"), red, "--out", nowhere));
    assertEquals(
        "fovea: %s: there is no folder %s".formatted(nowhere, absent),
        err.toString().strip());
    Path inFile = red.resolve("maps.png");
    assertEquals(1, run("attention", folder.resolve("no model"), red, "--out", inFile));
    assertEquals(
        "fovea: %s: %s is a file, expected a folder".formatted(inFile, red),
        err.toString().strip());
  }

  @Test
  void embedWritesEachFormat() throws IOException {
    Path pictures = folder.resolve("pictures");
    Path npy = folder.resolve("e.npy");
    assertEquals(0, run("embed", model, pictures, "--out", npy, "--batch", 1), err::toString);
    assertTrue(out.toString().startsWith("embedded 2 pictures, 16 numbers each, in "), out.toString());
    List<String> names = List.of(blue.toString(), red.toString());
    assertEquals(names, Files.readAllLines(folder.resolve("e.npy.txt")));
    float[] values;
    try (Scope scope = Scope.open()) {
      Tensor rows = Npy.load(npy);
      assertEquals("[2, 16]", rows.shape().toString());
      values = rows.toFloats();
    }

    Path safetensors = folder.resolve("e.safetensors");
    assertEquals(0, run("embed", model, blue, red, "--out", safetensors), err::toString);
    try (TensorFile file = TensorFile.open(safetensors);
        Scope scope = Scope.open()) {
      assertArrayEquals(values, file.load("embeddings").toFloats());
      assertEquals(names, new ObjectMapper().readValue(file.metadata().get("names"), List.class));
    }

    Path jsonl = folder.resolve("e.jsonl");
    assertEquals(0, run("embed", model, pictures, "--out", jsonl), err::toString);
    List<String> lines = Files.readAllLines(jsonl);
    for (int i = 0; i < 2; i++) {
      JsonNode line = new ObjectMapper().readTree(lines.get(i));
      assertEquals(names.get(i), line.get("file").asText());
      for (int k = 0; k < 16; k++) {
        assertEquals(values[16 * i + k], line.get("embedding").get(k).floatValue());
      }
    }
  }

  @Test
  void embedPassesOverBrokenFilesAndLeavesNoneWhereAllAre() throws IOException {
    Path broken = Files.createFile(folder.resolve("pictures/broken.jpg"));
    Path npy = folder.resolve("e.npy");
    assertEquals(1, run("embed", model, folder.resolve("pictures"), "--out", npy));
    assertEquals(List.of(blue.toString(), red.toString()), Files.readAllLines(folder.resolve("e.npy.txt")));
    assertTrue(err.toString().contains(broken + ": is empty"), err.toString());
    assertTrue(err.toString().contains("1 of 3 pictures could not be read"), err.toString());
    Path other = folder.resolve("other.npy");
    assertEquals(1, run("embed", model, broken, "--out", other));
    assertFalse(Files.exists(other));
  }

  @Test
  void attentionDrawsAPicture() throws IOException {
    Path maps = folder.resolve("maps.png");
    assertEquals(0, run("attention", model, red, "--out", maps), err::toString);
    assertEquals(
        "2 layers of 2 heads over 4 x 4 patches: " + maps, out.toString().strip());
    assertTrue(ImageIO.read(maps.toFile()).getWidth() > 500);
    assertEquals(0, run("attention", model, red, "--out", maps, "--layer", 2, "--head", 1), err::toString);
    assertEquals(1, run("attention", model, red, "--out", maps, "--layer", 3));
    assertEquals("fovea: layer: got 3, expected 1 to 2", err.toString().strip());
    assertEquals(1, run("attention", model, folder.resolve("pictures/notes.txt"), "--out", maps));
    assertEquals(2, run("attention", model, red, "--out", "maps.bmp"));
  }

  @Test
  void wrongUseIsExitCodeTwo() {
    assertEquals(2, run("embed", model, red, "--out", "e.csv"));
    assertTrue(err.toString().contains("expected a name that ends in .npy, .safetensors or .jsonl"), err.toString());
    assertEquals(2, run("embed", model, red));
    assertEquals(2, run("predict", model));
    assertEquals(2, run("predict", model, red, "--top", 0));
    assertEquals(2, run("predict", model, red, "--batch", 0));
    assertEquals(1, run("predict", folder.resolve("nothing"), red));
    assertEquals(1, err.toString().lines().count(), err.toString());
    assertEquals(1, run("embed", model, model, "--out", "e.npy"));
    assertTrue(err.toString().contains("no pictures in this folder"), err.toString());
  }

  @Test
  void helpExplains() {
    assertEquals(0, run("embed", "--help"));
    assertTrue(out.toString().contains("float32 [pictures, width]"), out.toString());
    assertEquals(0, run("predict", "--help"));
    assertTrue(out.toString().contains("one on each line, class 0 first"), out.toString());
  }
}
