package dev.fovea.vit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fovea.vit.scaling.PowerLaw;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands about scaling: what they print and draw, and their exit codes. */
class ScalingCommandTest {
  @TempDir
  private Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(Object... args) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    String[] words = List.of(args).stream().map(Object::toString).toArray(String[]::new);
    return Fovea.run(new PrintWriter(out, true), new PrintWriter(err, true), words);
  }

  private Path runs() throws IOException {
    StringBuilder text = new StringBuilder("name,Compute,error\n");
    for (int i = 0; i < 15; i++) {
      double compute = Math.pow(10, -2 + 0.4 * i);
      text.append("run %d,%s,%s%n".formatted(i, compute, PowerLaw.TEN_SHOT.at(compute)));
    }
    text.append("a bad one,1,0.9\n");
    return Files.writeString(folder.resolve("runs.csv"), text);
  }

  @Test
  void aLawIsPrintedAndDrawn() throws IOException {
    Path png = folder.resolve("law.png");
    Path runs = runs();
    assertEquals(
        0, run("scaling", runs, "--frontier", "--at", "1e4,1e6", "--samples", 20, "--out", png), err::toString);
    List<String> lines = out.toString().lines().toList();
    assertEquals("E = 0.63 (C + 0.52)^-0.32 + 0.12", lines.get(0).replace("00", ""));
    assertTrue(lines.get(6).strip().startsWith("E(1.000e+04) 0.1531"), out.toString());
    assertEquals(760, ImageIO.read(png.toFile()).getWidth());
    assertEquals(0, run("scaling", runs, "--json", "--samples", 20, "--at", "1e4"), err::toString);
    JsonNode node = new ObjectMapper().readTree(out.toString());
    assertEquals(16, node.get("runs").asInt());
    assertTrue(node.get("b").get("low").asDouble() <= node.get("b").get("high").asDouble());
    assertEquals(1, node.get("predictions").size());
  }

  @Test
  void theShapeForABudget() throws IOException {
    assertEquals(0, run("scaling", "shape", "--compute", "8.8e12"), err::toString);
    assertTrue(out.toString().startsWith("width 1072, depth 32, MLP 4448, 16 heads: "), out.toString());
    assertTrue(out.toString().contains("which it does not print"), out.toString());
    assertEquals(0, run("scaling", "shape", "--compute", "1e10", "--json", "--heads", 8), err::toString);
    JsonNode shape = new ObjectMapper().readTree(out.toString()).get("shape");
    assertEquals(0, shape.get("width").asInt() % 8);
    double spent = shape.get("gflops").asDouble() * shape.get("pictures").asDouble();
    assertEquals(1e10, spent, 1);
  }

  @Test
  void wrongUseIsExplained() throws IOException {
    assertEquals(2, run("scaling"));
    assertTrue(err.toString().startsWith("Missing runs"), err.toString());
    assertEquals(2, run("scaling", "shape"));
    assertEquals(2, run("scaling", "shape", "--compute", "-1"));
    assertEquals(2, run("scaling", "shape", "--compute", "1e9", "--anchor", "64,2,128"));
    assertEquals(2, run("scaling", runs(), "--out", "law.bmp"));
    assertEquals(2, run("scaling", runs(), "--samples", 0));
    assertEquals(1, run("scaling", folder.resolve("none.csv")));
    assertTrue(err.toString().contains("there is no such file"), err.toString());
    assertEquals(1, run("scaling", runs(), "--error-column", "loss"));
    assertTrue(err.toString().contains("run 1 has no \"loss\", columns are [name, Compute, error]"), err.toString());
    Path bad = Files.writeString(folder.resolve("bad.csv"), "compute,error\n1,0.5\n2,none\n");
    assertEquals(1, run("scaling", bad));
    assertTrue(err.toString().contains("run 2: got error \"none\", expected a positive number"), err.toString());
    assertEquals(1, run("scaling", Files.writeString(bad, "compute,error\n")));
    assertTrue(err.toString().contains("holds no runs"), err.toString());
  }

  @Test
  void helpExplains() {
    assertEquals(0, run("scaling", "--help"));
    assertTrue(out.toString().contains("E = a (C + d)^-b + c to runs"), out.toString());
    assertEquals(0, run("scaling", "shape", "--help"));
    assertTrue(out.toString().contains("star sweep"), out.toString());
  }
}
