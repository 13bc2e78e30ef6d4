package dev.fovea.tensor.io;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The Python dict of an npy header: exactly the members {@code descr}, {@code fortran_order} and {@code shape}, written
 * as literals. Nothing else of Python is understood, and nothing is ever evaluated.
 */
final class NpyDict {
  private static final String EXPECTED = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} or alike";

  private final String file;
  private final String name;
  private final String text;
  private int at;

  private @Nullable String descr;
  private @Nullable Boolean columnMajor;
  private @Nullable List<Long> shape;

  private NpyDict(String file, String name, String text) {
    this.file = file;
    this.name = name;
    this.text = text;
  }

  static NpyDict parse(String file, String name, String text) throws MalformedFileException {
    NpyDict dict = new NpyDict(file, name, text);
    dict.parse();
    return dict;
  }

  String descr() {
    return present(descr);
  }

  boolean columnMajor() {
    return present(columnMajor);
  }

  List<Long> shape() {
    return present(shape);
  }

  private void parse() throws MalformedFileException {
    expect('{');
    while (!accept('}')) {
      member();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    peek();
    if (at < text.length() || descr == null || columnMajor == null || shape == null) {
      throw fault();
    }
  }

  private void member() throws MalformedFileException {
    String key = string();
    expect(':');
    switch (key) {
      case "descr" -> descr = once(descr, string());
      case "fortran_order" -> columnMajor = once(columnMajor, truth());
      case "shape" -> shape = once(shape, tuple());
      default -> throw fault();
    }
  }

  private String string() throws MalformedFileException {
    char quote = peek();
    if (quote != '\'' && quote != '"') {
      throw fault();
    }
    int end = text.indexOf(quote, at + 1);
    if (end < 0 || end - at > 64 || text.substring(at, end).indexOf('\\') >= 0) {
      throw fault();
    }
    String value = text.substring(at + 1, end);
    at = end + 1;
    return value;
  }

  private boolean truth() throws MalformedFileException {
    peek();
    boolean value = text.startsWith("True", at);
    if (!value && !text.startsWith("False", at)) {
      throw fault();
    }
    at += value ? 4 : 5;
    return value;
  }

  private List<Long> tuple() throws MalformedFileException {
    List<Long> sizes = new ArrayList<>();
    expect('(');
    boolean comma = true;
    while (!accept(')')) {
      if (!comma || sizes.size() == TensorInfo.MAX_RANK) {
        throw fault();
      }
      sizes.add(size());
      comma = accept(',');
      if (!comma && sizes.size() == 1) {
        throw fault(); // (3) is a number, (3,) a tuple
      }
    }
    return sizes;
  }

  private long size() throws MalformedFileException {
    peek();
    int start = at;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    long value;
    try {
      value = Long.parseLong(text, start, at, 10);
    } catch (NumberFormatException e) {
      throw fault();
    }
    if (at < text.length() && text.charAt(at) == 'L') {
      at++; // a long of Python 2
    }
    return value;
  }

  /** The next character that is not white space, or 0 at the end. */
  private char peek() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    return at < text.length() ? text.charAt(at) : 0;
  }

  private boolean accept(char wanted) {
    boolean found = peek() == wanted;
    if (found) {
      at++;
    }
    return found;
  }

  private void expect(char wanted) throws MalformedFileException {
    if (!accept(wanted)) {
      throw fault();
    }
  }

  private <T> T once(@Nullable T before, T value) throws MalformedFileException {
    if (before != null) {
      throw fault();
    }
    return value;
  }

  private static <T> T present(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("not parsed");
    }
    return value;
  }

  private MalformedFileException fault() {
    return new MalformedFileException(file, name, "header near character " + at, text, EXPECTED);
  }
}
