package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.List;

/** Splits PTX text into tokens that know their line. */
final class Lexer {
  /** Kinds of tokens. */
  enum Kind {
    NAME,
    NUMBER,
    STRING,
    PUNCTUATION,
    END
  }

  /** One token. */
  record Token(Kind kind, String text, int line) {
    boolean is(String wanted) {
      return kind != Kind.STRING && text.equals(wanted);
    }
  }

  private final String text;
  private int at;
  private int line = 1;

  private Lexer(String text) {
    this.text = text;
  }

  static List<Token> tokens(String text) {
    Lexer lexer = new Lexer(text);
    List<Token> tokens = new ArrayList<>();
    while (true) {
      Token token = lexer.next();
      tokens.add(token);
      if (token.kind == Kind.END) {
        return tokens;
      }
    }
  }

  private Token next() {
    skipBlanks();
    if (at >= text.length()) {
      return new Token(Kind.END, "", line);
    }
    char c = text.charAt(at);
    int start = at;
    if (c == '"') {
      at = text.indexOf('"', at + 1) + 1;
      return new Token(Kind.STRING, text.substring(start + 1, at - 1), line);
    }
    if (Character.isDigit(c)) {
      while (at < text.length() && (Character.isLetterOrDigit(text.charAt(at)) || decimalPoint())) {
        at++;
      }
      return new Token(Kind.NUMBER, text.substring(start, at), line);
    }
    if (nameStart(c)) {
      while (at < text.length() && namePart()) {
        at++;
      }
      return new Token(Kind.NAME, text.substring(start, at), line);
    }
    at++;
    return new Token(Kind.PUNCTUATION, String.valueOf(c), line);
  }

  private boolean decimalPoint() {
    return text.charAt(at) == '.' && at + 1 < text.length() && Character.isDigit(text.charAt(at + 1));
  }

  private static boolean nameStart(char c) {
    return Character.isLetter(c) || c == '_' || c == '$' || c == '%' || c == '.';
  }

  /** Part of a name; a double colon belongs to it ({@code shared::cta}), a single one ends a label. */
  private boolean namePart() {
    char c = text.charAt(at);
    if (c == ':' && at + 1 < text.length() && text.charAt(at + 1) == ':') {
      at++;
      return true;
    }
    return nameStart(c) || Character.isDigit(c);
  }

  private void skipBlanks() {
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '\n') {
        line++;
        at++;
      } else if (Character.isWhitespace(c)) {
        at++;
      } else if (text.startsWith("//", at)) {
        int end = text.indexOf('\n', at);
        at = end < 0 ? text.length() : end;
      } else if (text.startsWith("/*", at)) {
        int end = text.indexOf("*/", at) + 2;
        line += (int) text.substring(at, end).chars().filter(x -> x == '\n').count();
        at = end;
      } else {
        return;
      }
    }
  }
}
