package dev.fovea.vit.data;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Paths of pictures and their labels in a CSV file: two columns, or any with a header that names them. Paths are
 * relative to the file's folder.
 */
final class CsvFile {
  private static final Set<String> PATHS = Set.of("path", "file", "filename", "file_name", "filepath", "image");
  private static final Set<String> LABELS = Set.of("label", "class", "category", "target");
  private static final Pattern NUMBER = Pattern.compile("\\d{1,9}");

  private final Path file;
  private final Remarks remarks;
  private final List<Path> pictures = new ArrayList<>();
  private final List<String> labels = new ArrayList<>();

  private CsvFile(Path file, Remarks remarks) throws IOException {
    this.file = file;
    this.remarks = remarks;
    String text;
    try {
      text = Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(file + ": got bytes that are no UTF-8, expected a CSV file of path,label", e);
    }
    read(new CsvRows(text));
  }

  static Split open(Path training, @Nullable Path validation, long seed, int side, Remarks remarks) throws IOException {
    CsvFile learned = new CsvFile(training, remarks);
    TreeSet<String> names = new TreeSet<>(learned.labels);
    boolean numbers = names.stream().allMatch(name -> NUMBER.matcher(name).matches());
    List<String> classes = names.stream()
        .sorted(numbers ? Comparator.<String>comparingInt(Integer::parseInt) : Comparator.naturalOrder())
        .toList();
    Labelled unseen = validation == null ? null : new CsvFile(validation, remarks).files(classes, side);
    return Split.of(training, "a list of picture files", learned.files(classes, side), unseen, seed, remarks);
  }

  private void read(CsvRows rows) {
    int pathColumn = 0;
    int labelColumn = 1;
    boolean first = true;
    for (List<String> row = rows.next(); row != null; row = rows.next()) {
      if (first) {
        first = false;
        int named = column(row, PATHS);
        int labelled = column(row, LABELS);
        if (named >= 0 && labelled >= 0) {
          pathColumn = named;
          labelColumn = labelled;
          continue;
        }
      }
      add(row, rows.line(), pathColumn, labelColumn);
    }
  }

  private static int column(List<String> header, Set<String> names) {
    for (int i = 0; i < header.size(); i++) {
      if (names.contains(header.get(i).strip().toLowerCase(Locale.ROOT))) {
        return i;
      }
    }
    return -1;
  }

  private void add(List<String> row, int line, int pathColumn, int labelColumn) {
    if (row.size() == 1 && row.getFirst().isBlank()) {
      return;
    }
    if (row.size() <= Math.max(pathColumn, labelColumn)
        || row.get(pathColumn).isBlank()
        || row.get(labelColumn).isBlank()) {
      remarks.add(
          "%s, line %d: got %d columns, expected a path and a label: left out".formatted(file, line, row.size()));
      return;
    }
    try {
      pictures.add(file.resolveSibling(row.get(pathColumn).strip()));
      labels.add(row.get(labelColumn).strip());
    } catch (InvalidPathException e) {
      remarks.add("%s, line %d: is no path (%s): left out".formatted(file, line, e.getReason()));
    }
  }

  private PictureFiles files(List<String> classes, int side) {
    Map<String, Integer> byName = new HashMap<>();
    classes.forEach(name -> byName.put(name, byName.size()));
    List<Path> known = new ArrayList<>();
    int[] numbers = new int[labels.size()];
    for (int i = 0; i < labels.size(); i++) {
      Integer label = byName.get(labels.get(i));
      if (label != null) {
        numbers[known.size()] = label;
        known.add(pictures.get(i));
      } else {
        remarks.add("%s: %s: a class to evaluate on but not to train on: left out".formatted(file, labels.get(i)));
      }
    }
    return new PictureFiles(known, Arrays.copyOf(numbers, known.size()), classes, side);
  }
}
