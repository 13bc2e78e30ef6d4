package dev.fovea.bench.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A table as text, for terminals and for Markdown. */
public final class TableText {
  private TableText() {}

  /** In aligned columns: the first to the left, numbers to the right. */
  public static String aligned(Table table) {
    List<List<String>> lines = new ArrayList<>(List.of(table.head()));
    lines.addAll(table.cells());
    int[] widths = new int[table.head().size()];
    for (List<String> line : lines) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (List<String> line : lines) {
      StringBuilder row = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        String gap = " ".repeat(widths[i] - line.get(i).length());
        row.append(i == 0 ? "" : "  ").append(i == 0 ? line.get(i) + gap : gap + line.get(i));
      }
      text.append(row.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  /** As a Markdown table. */
  public static String markdown(Table table) {
    StringBuilder text = new StringBuilder();
    row(text, table.head());
    row(text, Collections.nCopies(table.head().size(), "---"));
    table.cells().forEach(line -> row(text, line));
    return text.toString();
  }

  private static void row(StringBuilder text, List<String> cells) {
    text.append('|');
    cells.forEach(cell -> text.append(' ').append(cell.replace("|", "\\|")).append(" |"));
    text.append('\n');
  }
}
