package dev.fovea.vit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many models from one command. */
final class SweepCommandTest {
  @TempDir
  private Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String command, Object... args) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    List<String> words = new ArrayList<>(List.of(command.split(" ")));
    for (Object arg : args) {
      words.add(arg.toString());
    }
    return Fovea.run(new PrintWriter(out, true), new PrintWriter(err, true), words.toArray(String[]::new));
  }

  @Test
  void aSweepIsReadByTheFit() throws IOException {
    String small = "sweep --image-size 16 --batch 4 --set data.val_size=10 --device cpu --mlp 16 --depth 1";
    Path at = folder.resolve("sweep");
    assertEquals(0, run(small + " --width 8,12 --steps 2 --out", at), err.toString());
    assertTrue(out.toString().contains("1/2 w8-d1-m16-s2: error "), out.toString());
    assertTrue(out.toString().contains("./fovea scaling " + at.resolve("runs.csv") + " --frontier"), out.toString());
    Path grid = Files.writeString(folder.resolve("grid.yaml"), "width: [8, 12, 16]\nsteps: [2, 3]\n");
    assertEquals(
        0,
        run(
            "sweep --image-size 16 --batch 4 --set data.val_size=10 --device cpu --set model.mlp=16 --set model.depth=1"
                + " --grid",
            grid,
            "--out",
            at),
        err.toString());
    assertTrue(out.toString().contains("1/6 w8-d1-m16-s2: error "), out.toString());
    assertTrue(out.toString().contains("trained before"), out.toString());
    assertEquals(0, run("scaling --json", at.resolve("runs.csv")), err.toString());
    assertTrue(out.toString().contains("\"runs\" : 6"), out.toString());
    assertEquals(1, run(small + " --width 9,8 --steps 2 --out", at));
    assertTrue(err.toString().contains("1 of 2 models could not be trained"), err.toString());
    assertTrue(err.toString().contains("w9-d1-m16-s2: heads: got 2"), err.toString());
    assertEquals(0, run(small + " --star --width 8,12 --steps 2 --out", at), err.toString());
    assertTrue(out.toString().contains("./fovea scaling shape "), out.toString());
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    assertEquals(2, run("sweep --star 3,x,4 --out", folder.resolve("a")));
    assertTrue(err.toString().contains("--star: got 3,x,4, expected a width, a depth and an MLP"), err.toString());
    Path grid = Files.writeString(folder.resolve("grid.yaml"), "widths: [8]\n");
    assertEquals(1, run("sweep --grid", grid));
    assertTrue(err.toString().contains("expected some of [depth, mlp, steps, train_size, width]"), err.toString());
    assertEquals(2, run("sweep --width 8 --grid", grid));
    assertTrue(err.toString().contains("--grid has the lists"), err.toString());
  }
}
