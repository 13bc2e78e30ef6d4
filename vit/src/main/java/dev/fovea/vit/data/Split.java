package dev.fovea.vit.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Pictures of one's own: some to train on, others to evaluate on.
 *
 * @param training what the model learns from
 * @param validation what it has not seen, with the same classes
 * @param summary sentences for a person: what was found, how many pictures the classes have, and what was left out
 */
public record Split(Dataset training, Dataset validation, List<String> summary) {
  /** From here on the classes' numbers of pictures are worth a word. */
  private static final int IMBALANCE = 10;

  private static final int LARGEST_LIST = 20;

  public Split {
    summary = List.copyOf(summary);
  }

  /**
   * What lies at a path, recognised by itself:
   *
   * <ul>
   *   <li>a folder with a folder of pictures for each class, or with two such, {@code train} and {@code val};
   *   <li>a CSV file of paths and labels, or a folder with {@code train.csv} and perhaps {@code val.csv};
   *   <li>the files of MNIST (IDX, also compressed) or of sets in its form;
   *   <li>the binary files of CIFAR-10 or CIFAR-100.
   * </ul>
   *
   * <p>Where nothing is set apart for evaluation, a tenth of each class is, drawn by the seed. What is broken is left
   * out and named in the summary, or, if it shows only when it is read, in {@link Batches#broken}.
   *
   * @param side height and width of what the model takes: larger pictures are made smaller at once
   * @throws IllegalArgumentException if nothing of the kind is there, or no picture
   * @throws IOException if it cannot be read
   */
  public static Split open(Path path, long seed, int side) throws IOException {
    if (side < 1) {
      throw new IllegalArgumentException("side: got " + side + ", expected at least 1");
    }
    if (!Files.exists(path)) {
      throw new IllegalArgumentException(
          "data: got %s, expected a built-in set, or a file or folder that is there".formatted(path));
    }
    Remarks remarks = new Remarks();
    if (Files.isRegularFile(path)) {
      return CsvFile.open(path, null, seed, side, remarks);
    }
    Split found = Cifar.open(path, seed, remarks);
    found = found == null ? Idx.open(path, seed, remarks) : found;
    if (found == null && Files.isRegularFile(path.resolve("train.csv"))) {
      Path validation = path.resolve("val.csv");
      return CsvFile.open(
          path.resolve("train.csv"), Files.isRegularFile(validation) ? validation : null, seed, side, remarks);
    }
    return found == null ? ImageFolder.open(path, seed, side, remarks) : found;
  }

  /**
   * Pictures whose classes do not matter: as {@link #open}, and any folder that holds pictures, with those in folders
   * below it, however these are called. All are of one class then.
   *
   * @throws IllegalArgumentException if nothing of the kind is there, or no picture
   * @throws IOException if it cannot be read
   */
  public static Split unlabelled(Path path, long seed, int side) throws IOException {
    Split found = Files.isDirectory(path) ? ImageFolder.unlabelled(path, seed, side) : null;
    return found == null ? open(path, seed, side) : found;
  }

  /**
   * These pictures.
   *
   * @param validation null or empty if some of {@code training} are to be held out for it
   */
  static Split of(
      Path path, String kind, Labelled training, @Nullable Labelled validation, long seed, Remarks remarks) {
    boolean holdsOut = validation == null || validation.size() == 0;
    Labelled learned = training;
    Labelled unseen = validation;
    if (holdsOut || unseen == null) {
      Holdout parts = new Holdout(training, seed);
      learned = parts.training();
      unseen = parts.validation();
    }
    if (learned.size() == 0 || unseen.size() == 0) {
      throw new IllegalArgumentException(
          "%s: holds %d pictures with labels, expected some to train on and some to evaluate on; %s"
              .formatted(path, training.size(), String.join("; ", remarks.lines())));
    }
    List<String> lines = new ArrayList<>();
    lines.add("%s: %s, %,d to train on and %,d%s to evaluate on"
        .formatted(path, kind, learned.size(), unseen.size(), holdsOut ? " of the same, drawn by the seed," : ""));
    if (learned.classes().size() > 1) {
      lines.add(balance(learned));
    }
    lines.addAll(remarks.lines());
    return new Split(learned, unseen, lines);
  }

  private static String balance(Labelled pictures) {
    int[] counts = new int[pictures.classes().size()];
    for (int i = 0; i < pictures.size(); i++) {
      if (pictures.label(i) >= 0) {
        counts[pictures.label(i)]++;
      }
    }
    List<Integer> order = IntStream.range(0, counts.length)
        .boxed()
        .sorted(Comparator.comparingInt((Integer c) -> -counts[c]).thenComparing(c -> c))
        .toList();
    int most = order.getFirst();
    int least = order.getLast();
    List<String> names = pictures.classes();
    if (counts[most] == counts[least]) {
      return "%,d classes of %,d pictures each".formatted(counts.length, counts[most]);
    }
    String line = "%,d classes of %,d (%s) to %,d (%s) pictures"
        .formatted(counts.length, counts[least], names.get(least), counts[most], names.get(most));
    if (counts[most] < IMBALANCE * Math.max(1L, counts[least])) {
      return line;
    }
    StringBuilder all = new StringBuilder(line).append(": out of balance:");
    for (int c : order.subList(0, Math.min(LARGEST_LIST, order.size()))) {
      all.append(' ').append(names.get(c)).append(' ').append(counts[c]).append(',');
    }
    return order.size() > LARGEST_LIST ? all + " ..." : all.substring(0, all.length() - 1);
  }
}
