package dev.fovea.vit.data;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Cuts comma-separated text into rows (RFC 4180): cells may be quoted. Where the first line has no comma, its
 * semicolons or tabs separate.
 */
final class CsvRows {
  private static final char QUOTE = '"';

  private final String text;
  private final char separator;
  private int at;
  private int line;
  private int next = 1;

  CsvRows(String text) {
    this.text = text.startsWith("\uFEFF") ? text.substring(1) : text;
    String first = this.text.lines().findFirst().orElse("");
    separator = first.indexOf(',') >= 0 ? ',' : first.indexOf(';') >= 0 ? ';' : first.indexOf('\t') >= 0 ? '\t' : ',';
  }

  /** Where the row began that was read last, from 1. */
  int line() {
    return line;
  }

  /** The next row; null after the last. */
  @Nullable
  List<String> next() {
    if (at >= text.length()) {
      return null;
    }
    line = next;
    List<String> row = new ArrayList<>();
    StringBuilder cell = new StringBuilder();
    boolean quoted = false;
    while (at < text.length()) {
      char c = text.charAt(at++);
      next += c == '\n' ? 1 : 0;
      boolean doubled = quoted && c == QUOTE && at < text.length() && text.charAt(at) == QUOTE;
      if (doubled) {
        cell.append(QUOTE);
        at++;
      } else if (c == QUOTE && (quoted || cell.isEmpty())) {
        quoted = !quoted;
      } else if (!quoted && c == separator) {
        row.add(cell.toString());
        cell.setLength(0);
      } else if (!quoted && c == '\n') {
        break;
      } else if (quoted || c != '\r') {
        cell.append(c);
      }
    }
    row.add(cell.toString());
    return row;
  }
}
