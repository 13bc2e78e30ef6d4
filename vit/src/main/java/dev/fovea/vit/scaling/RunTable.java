package dev.fovea.vit.scaling;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Runs of a CSV file: a line that names the columns, then a line for each run. Lines that begin with # are notes. */
public final class RunTable {
  private final Path file;
  private final List<Map<String, String>> rows;

  private RunTable(Path file, List<Map<String, String>> rows) {
    this.file = file;
    this.rows = rows;
  }

  /**
   * Reads a file.
   *
   * @throws IOException if it cannot be read, is no CSV, or holds no run
   */
  public static RunTable read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new NoSuchFileException(file.toString(), null, "there is no such file");
    }
    var reader = new CsvMapper()
        .enable(CsvParser.Feature.TRIM_SPACES)
        .enable(CsvParser.Feature.SKIP_EMPTY_LINES)
        .readerForMapOf(String.class)
        .with(CsvSchema.emptySchema().withHeader().withComments());
    List<Map<String, String>> rows = new ArrayList<>();
    try (var text = Files.newBufferedReader(file);
        MappingIterator<Map<String, String>> found = reader.readValues(text)) {
      while (found.hasNextValue()) {
        rows.add(found.nextValue());
      }
    } catch (JsonProcessingException e) {
      throw new IOException("%s: is no CSV of runs (%s)".formatted(file, e.getOriginalMessage()), e);
    }
    if (rows.isEmpty()) {
      throw new IOException(file + ": holds no runs, expected a line that names the columns and a line for each run");
    }
    return new RunTable(file, rows);
  }

  /** Number of runs. */
  public int size() {
    return rows.size();
  }

  /**
   * The positive numbers of a column, whose name is found in upper or lower case.
   *
   * @throws IOException if there is no such column, or something else in it than positive numbers
   */
  public double[] column(String name) throws IOException {
    double[] values = new double[rows.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = number(name, i);
    }
    return values;
  }

  private double number(String name, int row) throws IOException {
    String text = rows.get(row).entrySet().stream()
        .filter(entry -> entry.getKey().toLowerCase(Locale.ROOT).equals(name.toLowerCase(Locale.ROOT)))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElseThrow(() -> new IOException("%s: run %d has no \"%s\", columns are %s"
            .formatted(file, row + 1, name, rows.getFirst().keySet())));
    double value;
    try {
      value = Double.parseDouble(text);
    } catch (NumberFormatException e) {
      value = Double.NaN;
    }
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new IOException(
          "%s: run %d: got %s \"%s\", expected a positive number".formatted(file, row + 1, name, text));
    }
    return value;
  }
}
