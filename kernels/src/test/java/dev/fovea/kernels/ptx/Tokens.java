package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.List;

/** Reads tokens one after another, and says what it expected where. */
final class Tokens {
  private final String file;
  private final Lexer lexer;

  /** What was looked at ahead. */
  private final List<Lexer.Token> ahead = new ArrayList<>();

  private int at;

  Tokens(String file, String text, int from, int line) {
    this.file = file;
    lexer = new Lexer(text, from, line);
  }

  Lexer.Token peek() {
    return peek(0);
  }

  /** The token so many places further on. */
  Lexer.Token peek(int places) {
    while (at + places >= ahead.size()) {
      ahead.add(lexer.next());
    }
    return ahead.get(at + places);
  }

  Lexer.Token next() {
    Lexer.Token token = peek();
    if (token.kind() != Lexer.Kind.END) {
      at++;
    }
    if (at == ahead.size()) {
      ahead.clear();
      at = 0;
    }
    return token;
  }

  boolean end() {
    return peek().kind() == Lexer.Kind.END;
  }

  boolean is(String text) {
    return peek().is(text);
  }

  boolean take(String text) {
    if (is(text)) {
      next();
      return true;
    }
    return false;
  }

  void expect(String text) {
    if (!take(text)) {
      throw error("expected '" + text + "', got '" + peek().text() + "'");
    }
  }

  String name() {
    if (peek().kind() != Lexer.Kind.NAME) {
      throw error("expected a name, got '" + peek().text() + "'");
    }
    return next().text();
  }

  int number() {
    return Math.toIntExact(signed());
  }

  /** An integer with any number of signs before it. */
  long signed() {
    boolean negative = false;
    while (is("-") || is("+")) {
      negative ^= next().is("-");
    }
    long value = integer(next());
    return negative ? -value : value;
  }

  private long integer(Lexer.Token token) {
    if (token.kind() != Lexer.Kind.NUMBER) {
      throw error("expected a number, got '" + token.text() + "'");
    }
    String text = token.text();
    if (text.endsWith("U") || text.endsWith("u")) {
      text = text.substring(0, text.length() - 1);
    }
    try {
      if (text.startsWith("0x") || text.startsWith("0X")) {
        return Long.parseUnsignedLong(text, 2, text.length(), 16);
      }
      if (text.startsWith("0b") || text.startsWith("0B")) {
        return Long.parseUnsignedLong(text, 2, text.length(), 2);
      }
      boolean octal = text.length() > 1 && text.startsWith("0");
      return Long.parseUnsignedLong(text, octal ? 8 : 10);
    } catch (NumberFormatException e) {
      throw error("'" + text + "' is no number");
    }
  }

  /** A literal: an integer, {@code 0f} or {@code 0d} and a float's bits, or a decimal fraction. */
  Operand.Constant constant() {
    boolean negative = false;
    while (is("-") || is("+")) {
      negative ^= next().is("-");
    }
    String text = peek().text();
    boolean single = text.startsWith("0f") || text.startsWith("0F");
    boolean twice = text.startsWith("0d") || text.startsWith("0D");
    if (single || twice) {
      next();
      long bits = Long.parseUnsignedLong(text, 2, text.length(), 16);
      return new Operand.Constant(negative ? bits ^ (single ? 1L << 31 : 1L << 63) : bits, false);
    }
    if (text.contains(".")) {
      double value = Double.parseDouble(next().text());
      return new Operand.Constant(Double.doubleToRawLongBits(negative ? -value : value), true);
    }
    long value = integer(next());
    return new Operand.Constant(negative ? -value : value, false);
  }

  /** Leaves out what is left of the line. */
  void skipLine() {
    int line = peek().line();
    while (!end() && peek().line() == line) {
      next();
    }
  }

  /** Leaves out a balanced {@code {...}} that comes next. */
  void skipBraces() {
    if (!is("{")) {
      throw error("expected '{', got '" + peek().text() + "'");
    }
    lexer.restart(peek());
    ahead.clear();
    at = 0;
  }

  PtxException error(String message) {
    return new PtxException(file + ":" + peek().line() + ": " + message);
  }
}
