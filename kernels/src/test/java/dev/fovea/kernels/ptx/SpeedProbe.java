package dev.fovea.kernels.ptx;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/**
 * How many instructions of threads a second this machine executes on one core: {@code SpeedProbe compiled.ptx SECONDS},
 * with the PTX of {@code compiled.cu}. Run by hand.
 */
final class SpeedProbe {
  private SpeedProbe() {}

  public static void main(String[] args) throws Exception {
    String ptx = Files.readString(Path.of(args[0]));
    long seconds = Long.parseLong(args[1]);
    for (Checks checks : new Checks[] {Checks.ALL, Checks.FEW}) {
      try (Machine machine = new Machine(1, checks)) {
        Image image = machine.load("compiled.ptx", ptx);
        int size = 128;
        int[] words = new int[size * size / 2];
        Random random = new Random(1);
        for (int i = 0; i < words.length; i++) {
          words[i] = Rounding.toBfloat(random.nextFloat()) | Rounding.toBfloat(random.nextFloat()) << 16;
        }
        long a = machine.upload(words);
        long c = machine.allocate(4L * size * size);
        Kernel product = image.kernel("product");
        int[] grid = {size / 64, size / 64, 1};
        best("product", checks, seconds, () -> machine.launch(product, grid, 128, 16384, a, a, c, size, size, size, 1));
        float[] x = new float[20_000];
        for (int i = 0; i < x.length; i++) {
          x[i] = random.nextFloat();
        }
        long in = machine.upload(x);
        long out = machine.allocate(64);
        Kernel sums = image.kernel("sums");
        best("sums", checks, seconds, () -> machine.launch(sums, 1, 256, 0, in, out, (long) x.length));
      }
    }
  }

  private interface Run {
    long instructions();
  }

  private static void best(String name, Checks checks, long seconds, Run run) {
    double best = 0;
    for (long end = System.nanoTime() + seconds * 1_000_000_000L; System.nanoTime() < end; ) {
      long start = System.nanoTime();
      long count = run.instructions();
      best = Math.max(best, count * 1e3 / (System.nanoTime() - start));
    }
    System.out.printf("%s: %.0f million instructions of threads a second, %s%n", name, best, checks);
  }
}
