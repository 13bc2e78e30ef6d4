package dev.fovea.vit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fovea.vit.TinyModel;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The few-shot probe on folders of red, green and blue pictures. */
class ProbeCommandTest {
  @TempDir
  private Path folder;

  private Path model;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void write() throws IOException {
    model = TinyModel.write(folder.resolve("model"));
    String[] names = {"blue", "green", "red"};
    Random random = new Random(1);
    for (int k = 0; k < 3; k++) {
      for (int i = 0; i < 7; i++) {
        BufferedImage image = new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < 32 * 32; p++) {
          image.setRGB(p % 32, p / 32, (180 + random.nextInt(70) << 8 * k) | 0x010101 * random.nextInt(60));
        }
        Path file = folder.resolve(i < 4 ? "train" : "test").resolve(names[k] + "/" + i + ".png");
        Files.createDirectories(file.getParent());
        ImageIO.write(image, "png", file.toFile());
      }
    }
  }

  private int run(Object... args) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    String[] words = List.of(args).stream().map(Object::toString).toArray(String[]::new);
    return Fovea.run(new PrintWriter(out, true), new PrintWriter(err, true), words);
  }

  private int probe(Object... more) {
    Object[] args = new Object[more.length + 6];
    System.arraycopy(
        new Object[] {"probe", model, "--train", folder.resolve("train"), "--test", folder.resolve("test")},
        0,
        args,
        0,
        6);
    System.arraycopy(more, 0, args, 6, more.length);
    return run(args);
  }

  @Test
  void coloursAreToldApart() throws IOException {
    assertEquals(0, probe("--shots", "1,3", "--l2", 1), err::toString);
    List<String> lines = out.toString().lines().toList();
    assertEquals("3 classes, 9 pictures to name, 3 draws:", lines.get(0));
    assertTrue(lines.get(2).strip().startsWith("3 shots: 100.00 %"), out.toString());
    assertEquals(0, probe("--shots", "2,9", "--json", "--draws", 2), err::toString);
    JsonNode node = new ObjectMapper().readTree(out.toString());
    assertEquals(3, node.get("classes").asInt());
    assertEquals(6, node.get("shots").get(0).get("examples").asInt());
    assertEquals(12, node.get("shots").get(1).get("examples").asInt());
    assertEquals(2, node.get("shots").get(1).get("draws").size());
  }

  @Test
  void brokenPicturesAreLeftOut() throws IOException {
    Path broken = Files.writeString(folder.resolve("train/red/broken.png"), "no");
    assertEquals(1, probe("--shots", "10"));
    assertTrue(err.toString().contains(broken + ": is no picture"), err.toString());
    assertTrue(err.toString().contains("1 of 22 pictures could not be read"), err.toString());
    assertTrue(out.toString().contains("some classes have fewer examples"), out.toString());
  }

  @Test
  void wrongUseIsExplained() throws IOException {
    assertEquals(2, probe("--shots", "0"));
    assertEquals(2, probe("--draws", "0"));
    assertEquals(2, probe("--l2", "0"));
    assertEquals(2, run("probe", model, "--train", folder));
    assertEquals(1, run("probe", model, "--train", folder.resolve("train/red"), "--test", folder.resolve("test")));
    assertTrue(err.toString().contains("holds no folder with pictures"), err.toString());
    Path odd = Files.createDirectories(folder.resolve("test/violet"));
    Files.copy(folder.resolve("test/red/5.png"), odd.resolve("5.png"));
    assertEquals(1, probe());
    assertTrue(err.toString().contains("got class \"violet\", expected the classes trained on"), err.toString());
    assertEquals(0, run("probe", "--help"));
    assertTrue(out.toString().contains("Examples of each class (default: 1,5,10,25)"), out.toString());
  }
}
