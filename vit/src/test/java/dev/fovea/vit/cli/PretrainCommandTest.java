package dev.fovea.vit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.vit.train.ConfigFile;
import dev.fovea.vit.train.TrainConfig;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training without labels from the command line: what it says, what it leaves, and what it refuses. */
final class PretrainCommandTest {
  private static final String SMALL =
      "pretrain --batch 4 --image-size 16 --width 16 --depth 1 --mlp 16 --device cpu --set data.val_size=8";

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

  private void said(String part) {
    assertTrue(out.toString().contains(part), out.toString());
  }

  private void refused(int code, String reason, String command, Object... args) {
    assertEquals(code, run(command, args), err.toString());
    assertTrue(err.toString().contains(reason), err.toString());
  }

  @Test
  void trainsAndLeavesAFolderAndGoesOn() throws IOException {
    Path to = folder.resolve("run");
    assertEquals(0, run(SMALL + " --steps 3 --warmup 1 --clip 0 --mask-pattern blocks --out", to), err.toString());
    said("training " + to + ": 16 x 16 pixels, patches of 4, width 16, depth 1");
    said("step 3/3: loss ");
    said("done: validation loss ");
    said("fine-tune it with: ./fovea train --model " + to.resolve("model"));
    assertFalse(out.toString().contains("accuracy"), "there are no classes: " + out);
    for (String file : List.of("run.yaml", "metrics.jsonl", "curves.png", "reconstructions.png", "model/config.json")) {
      assertTrue(Files.size(to.resolve(file)) > 100, file);
    }
    TrainConfig config = ConfigFile.read(to.resolve("run.yaml"), Map.of());
    assertEquals(0.75, config.masked().ratio());
    assertEquals(0, config.optimizer().clip());
    assertEquals(1, config.schedule().warmup());
    refused(1, "holds a run already; go on with it with --resume", SMALL + " --out", to);
    assertEquals(0, run("pretrain --resume --device cpu --out", to), err.toString());
    said("going on from step 3");
  }

  /** What a file says holds, but for what options say. */
  @Test
  void settingsComeFromAFileToo() throws IOException {
    Path file = Files.writeString(
        folder.resolve("run.yaml"),
        "masked: {ratio: 0.5, target: normalized}\nrun: {steps: 9, eval_every: 2}\nmodel: {depth: 2}\n");
    Path to = folder.resolve("run");
    assertEquals(0, run(SMALL + " --steps 2 --config", file, "--out", to), err.toString());
    TrainConfig config = ConfigFile.read(to.resolve("run.yaml"), Map.of());
    assertEquals(0.5, config.masked().ratio());
    assertEquals(TrainConfig.Target.NORMALIZED, config.masked().target());
    assertEquals(2, config.run().steps());
    assertEquals(1, config.model().depth());
  }

  /** A folder of pictures without classes will do, and a model that is there. */
  @Test
  void trainsOnAnyFolderOfPictures() throws IOException {
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
    assertEquals(0, run(SMALL + " --steps 2 --data", photos, "--out", to), err.toString());
    said("11 to train on and 1 of the same");
    String more = "pretrain --steps 1 --batch 4 --device cpu --drop-path 0.1 --data";
    assertEquals(0, run(more, photos, "--model", to.resolve("model"), "--out", folder.resolve("more")), err.toString());
    refused(1, "learns no classes", "evaluate", to);
  }

  @Test
  void saysWhatIsWrong() {
    Path to = folder.resolve("a");
    refused(2, "--mask-ratio: got 0.0, expected a number between 0 and 1", "pretrain --mask-ratio 0 --out", to);
    refused(2, "--model has a shape of its own: leave out --width", "pretrain --model x --width 3 --out", to);
    refused(2, "leave all but --device out", "pretrain --resume --steps 3 --out", to);
    refused(2, "Unknown option: '--mixup=1'", "pretrain --mixup=1 --out", to);
    refused(2, "for option '--target'", "pretrain --target words --out", to);
    refused(1, "holds no run to go on with", "pretrain --resume --out", to);
    refused(1, "ratio: got 1.5", "pretrain --mask-ratio 1.5 --out", to);
    refused(1, "x: no such file or folder", "pretrain --model x --out", to);
    assertFalse(Files.exists(to), "a folder was made for a run that cannot be");
  }
}
