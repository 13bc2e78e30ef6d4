package dev.fovea.kernels.ptx;

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
  record Token(Kind kind, String text, int line, int offset) {
    boolean is(String wanted) {
      return kind != Kind.STRING && text.equals(wanted);
    }
  }

  private final String text;
  private int at;
  private int line = 1;

  Lexer(String text, int from, int line) {
    this.text = text;
    this.at = from;
    this.line = line;
  }

  /** The next token; at the end, one of that kind. */
  Token next() {
    skipBlanks();
    if (at >= text.length()) {
      return new Token(Kind.END, "", line, at);
    }
    char c = text.charAt(at);
    int start = at;
    if (c == '"') {
      at = text.indexOf('"', at + 1) + 1;
      return new Token(Kind.STRING, text.substring(start + 1, at - 1), line, start);
    }
    if (Character.isDigit(c)) {
      while (at < text.length() && (Character.isLetterOrDigit(text.charAt(at)) || decimalPoint())) {
        at++;
      }
      return new Token(Kind.NUMBER, text.substring(start, at), line, start);
    }
    if (nameStart(c)) {
      while (at < text.length() && namePart()) {
        at++;
      }
      return new Token(Kind.NAME, text.substring(start, at), line, start);
    }
    at++;
    return new Token(Kind.PUNCTUATION, String.valueOf(c), line, start);
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

  /** Goes to behind the bracket that closes this one, without making tokens of what lies between. */
  void restart(Token open) {
    at = open.offset;
    line = open.line;
    int depth = 0;
    do {
      skipBlanks();
      char c = at < text.length() ? text.charAt(at) : '}';
      if (c == '"') {
        at = text.indexOf('"', at + 1);
      }
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
      at++;
    } while (depth > 0 && at < text.length());
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
