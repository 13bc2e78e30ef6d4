package dev.fovea.tensor.io;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Damages files: bits and bytes, lengths, numbers in text and in fields, order. */
final class Mutator {
  private static final long[] EDGES = {
    0,
    1,
    2,
    7,
    8,
    63,
    64,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    100_000_000,
    100_000_001,
    Integer.MAX_VALUE,
    Integer.MAX_VALUE + 1L,
    0xffff_ffffL,
    0x1_0000_0000L,
    1L << 62,
    Long.MAX_VALUE - 7,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -1,
    -8
  };
  private static final String[] WORDS = {
    "-1", "00", "1e3", "0.5", "\"\"", "[]", "{}", "null", "true", "9223372036854775808", "18446744073709551616",
    "99999999999999999999999", "\"F64\"", "\"F4\"", "'>f8'", "'|V2'", "'|O'", "(", ")", ",", "\\u0000", "True"
  };

  private final SplittableRandom random;

  Mutator(long seed) {
    random = new SplittableRandom(seed);
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  /** One to three changes. */
  byte[] mutate(byte[] original) {
    byte[] file = original.clone();
    for (int i = random.nextInt(3); i >= 0; i--) {
      file = change(file);
    }
    return file;
  }

  private byte[] change(byte[] file) {
    if (file.length == 0) {
      return new byte[] {(byte) random.nextInt(256)};
    }
    int at = place(file);
    switch (random.nextInt(11)) {
      case 0 -> file[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> file[at] = (byte) random.nextInt(256);
      case 2, 3 -> putEdge(file, at);
      case 4 -> {
        return Arrays.copyOf(file, random.nextInt(file.length + 1));
      }
      case 5 -> {
        byte[] some = new byte[1 + random.nextInt(20)];
        random.nextBytes(some);
        return replace(file, at, at, some);
      }
      case 6 -> {
        return replace(file, at, Math.min(file.length, at + 1 + random.nextInt(20)), new byte[0]);
      }
      case 7 -> {
        int end = Math.min(file.length, at + 1 + random.nextInt(60));
        return replace(file, at, at, Arrays.copyOfRange(file, at, end));
      }
      case 8 -> swap(file, at);
      default -> {
        return changeNumber(file);
      }
    }
    return file;
  }

  /** Anywhere; often in the first bytes or behind a signature of zip. */
  private int place(byte[] file) {
    int at = random.nextInt(file.length);
    if (random.nextInt(3) == 0) {
      at = random.nextInt(Math.min(64, file.length));
    } else if (random.nextBoolean()) {
      for (int i = 0; i < file.length - 1; i++) {
        int k = (at + i) % (file.length - 1);
        if (file[k] == 'P' && file[k + 1] == 'K') {
          return Math.min(file.length - 1, k + random.nextInt(60));
        }
      }
    }
    return at;
  }

  private void putEdge(byte[] file, int at) {
    byte[] edge = ByteBuffer.allocate(8)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(EDGES[random.nextInt(EDGES.length)])
        .array();
    System.arraycopy(edge, 0, file, at, Math.min(2 << random.nextInt(3), file.length - at));
  }

  private void swap(byte[] file, int at) {
    int other = random.nextInt(file.length);
    int n = Math.min(1 + random.nextInt(16), file.length - Math.max(at, other));
    for (int i = 0; i < n; i++) {
      byte b = file[at + i];
      file[at + i] = file[other + i];
      file[other + i] = b;
    }
  }

  /** Replaces a number that stands in text by an edge value, by something else, or by another number of the file. */
  private byte[] changeNumber(byte[] file) {
    List<int[]> numbers = new ArrayList<>();
    for (int i = 0; i < file.length; ) {
      int start = i;
      while (i < file.length && file[i] >= '0' && file[i] <= '9') {
        i++;
      }
      if (i > start) {
        numbers.add(new int[] {start, i});
      }
      i++;
    }
    if (numbers.isEmpty()) {
      return file;
    }
    int[] number = numbers.get(random.nextInt(numbers.size()));
    int[] other = numbers.get(random.nextInt(numbers.size()));
    byte[] value = switch (random.nextInt(3)) {
      case 0 -> Long.toString(EDGES[random.nextInt(EDGES.length)]).getBytes(StandardCharsets.US_ASCII);
      case 1 -> WORDS[random.nextInt(WORDS.length)].getBytes(StandardCharsets.US_ASCII);
      default -> Arrays.copyOfRange(file, other[0], other[1]);
    };
    return replace(file, number[0], number[1], value);
  }

  private static byte[] replace(byte[] file, int from, int to, byte[] by) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(file.length + by.length);
    out.write(file, 0, from);
    out.writeBytes(by);
    out.write(file, to, file.length - to);
    return out.toByteArray();
  }
}
