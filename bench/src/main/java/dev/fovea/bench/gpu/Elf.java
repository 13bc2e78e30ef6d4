package dev.fovea.bench.gpu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** As much of a 64-bit ELF library as tells which symbols it leaves to others. */
final class Elf {
  private static final int MAGIC = 0x464c457f;
  private static final int SECTIONS_AT = 40;
  private static final int SECTION_BYTES_AT = 58;
  private static final int DYNAMIC_SYMBOLS = 11;
  private static final int SYMBOL_BYTES = 24;

  private Elf() {}

  /** Names of undefined dynamic symbols that begin so, in their order. */
  static List<String> undefined(Path library, String beginning) throws IOException {
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(library)).order(ByteOrder.LITTLE_ENDIAN);
    if (file.capacity() < 64 || file.getInt(0) != MAGIC || file.get(4) != 2 || file.get(5) != 1) {
      throw new IOException(library + ": got no 64-bit little-endian ELF library");
    }
    long sections = file.getLong(SECTIONS_AT);
    int size = Short.toUnsignedInt(file.getShort(SECTION_BYTES_AT));
    int count = Short.toUnsignedInt(file.getShort(SECTION_BYTES_AT + 2));
    List<String> names = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int section = (int) sections + i * size;
      if (file.getInt(section + 4) == DYNAMIC_SYMBOLS) {
        int strings = (int) sections + file.getInt(section + 40) * size;
        names.addAll(undefined(
            file.slice((int) file.getLong(section + 24), (int) file.getLong(section + 32))
                .order(ByteOrder.LITTLE_ENDIAN),
            file.slice((int) file.getLong(strings + 24), (int) file.getLong(strings + 32)),
            beginning));
      }
    }
    return names;
  }

  private static List<String> undefined(ByteBuffer symbols, ByteBuffer strings, String beginning) {
    List<String> names = new ArrayList<>();
    for (int at = 0; at + SYMBOL_BYTES <= symbols.capacity(); at += SYMBOL_BYTES) {
      boolean defined = symbols.getShort(at + 6) != 0;
      String name = string(strings, symbols.getInt(at));
      if (!defined && name.startsWith(beginning)) {
        names.add(name);
      }
    }
    return names;
  }

  private static String string(ByteBuffer strings, int begin) {
    int end = begin;
    while (strings.get(end) != 0) {
      end++;
    }
    byte[] bytes = new byte[end - begin];
    strings.get(begin, bytes);
    return new String(bytes, StandardCharsets.US_ASCII);
  }
}
