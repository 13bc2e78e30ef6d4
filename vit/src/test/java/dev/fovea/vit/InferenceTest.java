package dev.fovea.vit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.image.Interpolation;
import dev.fovea.vit.image.Picture;
import dev.fovea.vit.image.PictureException;
import dev.fovea.vit.image.Preprocessing;
import dev.fovea.vit.image.Preprocessor;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.weights.TimmConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Pictures in, answers out, from Java. */
class InferenceTest {
  @TempDir
  private Path folder;

  private final List<Path> files = new ArrayList<>();
  private final List<Picture> pictures = new ArrayList<>();
  private Vit vit;

  @BeforeEach
  void load() throws IOException {
    Random random = new Random(5);
    for (int i = 0; i < 20; i++) {
      byte[] rgb = new byte[3 * (30 + i) * 40];
      random.nextBytes(rgb);
      Picture picture = Picture.of(40, 30 + i, rgb);
      Path file = folder.resolve("picture" + i + ".png");
      ImageIO.write(picture.toBufferedImage(), "png", file.toFile());
      files.add(file);
      pictures.add(picture);
    }
    vit = Vit.load(TinyModel.write(folder.resolve("model")));
  }

  @AfterEach
  void close() {
    vit.close();
  }

  @Test
  void filesPicturesAndTensorsGiveTheSame() throws IOException {
    long before = Device.cpu().memory().current();
    float[][] fromFiles = vit.embed(files);
    assertEquals(20, fromFiles.length);
    float[][] fromPictures = vit.embed(pictures.toArray(Picture[]::new));
    assertArrayEquals(fromFiles, fromPictures);
    try (Scope scope = Scope.open()) {
      Tensor pixels = vit.inference().preprocessor().apply(pictures);
      assertEquals("[20, 3, 32, 32]", pixels.shape().toString());
      float[] rows = vit.forward(pixels).preLogits().toFloats();
      assertEquals(fromFiles[3][2], rows[3 * 16 + 2]);
    }
    assertEquals(before, Device.cpu().memory().current(), "bytes left");
  }

  @Test
  void predictionsAreSortedNamedAndAddUp() throws IOException {
    List<List<Prediction>> all = vit.predict(files, 9);
    for (int i = 0; i < 20; i++) {
      List<Prediction> one = all.get(i);
      assertEquals(5, one.size());
      assertEquals(1, one.stream().mapToDouble(Prediction::probability).sum(), 1e-9);
      for (int k = 1; k < 5; k++) {
        assertTrue(one.get(k - 1).probability() >= one.get(k).probability());
      }
      assertEquals(one.subList(0, 2), vit.predict(pictures.get(i), 2));
      one.forEach(
          p -> assertEquals(List.of("ant", "bee", "cat", "dog", "emu, a bird").get(p.index()), p.label()));
    }
  }

  /** Pictures are prepared for the other size, positions resampled; what was loaded is closed. */
  @Test
  void takesPicturesOfAnotherSize() throws IOException {
    long before = Device.cpu().memory().current();
    try (Vit larger = Vit.load(folder.resolve("model")).resized(48, 40);
        VisionTransformer expected = vit.model().resized(48, 40);
        Scope scope = Scope.open()) {
      assertEquals(48, larger.config().imageHeight());
      Tensor pixels = larger.inference().preprocessor().apply(pictures);
      assertEquals("[20, 3, 48, 40]", pixels.shape().toString());
      float[] rows = expected.forward(pixels).preLogits().toFloats();
      float[][] found = larger.embed(files);
      assertEquals(rows[5 * 16 + 3], found[5][3]);
      larger.save(folder.resolve("larger"));
    }
    assertEquals(before, Device.cpu().memory().current(), "bytes left");
    try (Vit again = Vit.load(folder.resolve("larger")).frozen()) {
      assertEquals(40, again.config().imageWidth());
      assertEquals(5, again.predict(pictures.getFirst(), 5).size());
    }
    var e = assertThrows(IllegalArgumentException.class, () -> vit.resized(7, 8));
    assertTrue(e.getMessage().contains("imageHeight: got 7, expected at least 8"), e.getMessage());
  }

  /** One copy of the weights, and the bits of a single thread. */
  @Test
  void severalThreadsGetWhatOneGets() throws Exception {
    float[][] alone = vit.embed(files);
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<float[][]>> results = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        boolean inMemory = i % 2 == 0;
        results.add(threads.submit(() -> inMemory ? vit.embed(pictures.toArray(Picture[]::new)) : vit.embed(files)));
      }
      for (Future<float[][]> result : results) {
        assertArrayEquals(alone, result.get());
      }
    }
  }

  @Test
  void aBrokenFileIsNamedOrPassedOverAsAsked() throws IOException {
    Path broken = Files.writeString(folder.resolve("broken.png"), "no");
    files.add(7, broken);
    var e = assertThrows(PictureException.class, () -> vit.embed(files));
    assertTrue(e.getMessage().startsWith(broken + ": "), e.getMessage());

    List<Path> seen = new ArrayList<>();
    vit.inference().embed(files, new Inference.Options(3, 2000), new Inference.Results() {
      @Override
      public void accept(Path file, float[] values) {
        seen.add(file);
      }

      @Override
      public void failed(Path file, IOException failure) {
        seen.add(folder.resolve("failed " + file.getFileName()));
      }
    });
    assertEquals(21, seen.size());
    assertEquals(files.get(6), seen.get(6));
    assertEquals("failed broken.png", seen.get(7).getFileName().toString());
  }

  @Test
  void aModelThatWasClosedSaysWhy() throws IOException {
    Vit plain = Vit.load(TinyModel.write(folder.resolve("closed")));
    try (Vit frozen = plain.frozen()) {
      assertEquals(1, frozen.embed(pictures.getFirst()).length);
      for (Executable use : List.<Executable>of(
          () -> plain.embed(pictures.getFirst()), plain::frozen, () -> plain.resized(32, 32), plain::close)) {
        var e = assertThrows(IllegalStateException.class, use);
        assertTrue(
            e.getMessage().contains("frozen() and Vit.resized() close the one they are called on"), e.getMessage());
      }
    }
  }

  @Test
  void aModelWithoutClassifierSaysSo() throws IOException {
    var config =
        TimmConfig.of("vit_tiny_patch16_224").toBuilder().depth(1).classes(0).build();
    Preprocessing how = Preprocessing.squash(224, 224, Interpolation.BICUBIC, Preprocessing.HALF, Preprocessing.HALF);
    try (VisionTransformer model = VisionTransformer.create(config, 1)) {
      var inference = new Inference(model, new Preprocessor(how));
      assertEquals(192, inference.embed(pictures.subList(0, 1))[0].length);
      var e = assertThrows(IllegalStateException.class, () -> inference.classify(pictures));
      assertTrue(e.getMessage().contains("no classifier"), e.getMessage());
    }
  }
}
