package dev.fovea.vit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that train without labels, and many models. */
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
    assertEquals(2, run("pretrain --mask-ratio 0 --out", folder.resolve("a")));
    assertTrue(err.toString().contains("--mask-ratio: got 0.0, expected a number between 0 and 1"), err.toString());
    assertEquals(2, run("pretrain --model x --width 3 --out", folder.resolve("a")));
    assertTrue(err.toString().contains("leave out --width"), err.toString());
    assertEquals(2, run("pretrain --resume --steps 3 --out", folder.resolve("a")));
    assertTrue(err.toString().contains("leave the others out"), err.toString());
  }

  /** A folder of pictures without classes will do. */
  @Test
  void pretrainsOnAnyFolderOfPictures() throws IOException {
    Path photos = Files.createDirectories(folder.resolve("photos/more")).getParent();
    for (int i = 0; i < 12; i++) {
      BufferedImage image = new BufferedImage(20, 16, BufferedImage.TYPE_INT_RGB);
      image.setRGB(i, i, 0xffffff);
      ImageIO.write(
          image,
          "png",
          photos.resolve(i < 6 ? i + ".png" : "more/" + i + ".png").toFile());
    }
    Path to = folder.resolve("run");
    assertEquals(
        0,
        run(
            "pretrain --steps 2 --batch 4 --image-size 16 --width 16 --depth 1 --mlp 16 --device cpu --data",
            photos,
            "--out",
            to),
        err.toString());
    assertTrue(out.toString().contains("11 to train on and 1 of the same"), out.toString());
    assertTrue(out.toString().contains("done: validation loss "), out.toString());
    assertTrue(out.toString().contains("./fovea train --model " + to.resolve("model")), out.toString());
    assertTrue(Files.exists(to.resolve("reconstructions.png")));
    assertEquals(
        0,
        run(
            "pretrain --steps 1 --batch 4 --device cpu --data",
            photos,
            "--model",
            to.resolve("model"),
            "--out",
            folder.resolve("more")),
        err.toString());
  }
}
