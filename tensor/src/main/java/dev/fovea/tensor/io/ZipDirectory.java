package dev.fovea.tensor.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * The checked central directory of a zip file in memory. {@link java.util.zip.ZipFile} reads files only and trusts
 * more: here every entry lies inside the file, shares no byte with another, and may expand by as much as deflate can
 * and not beyond.
 */
final class ZipDirectory {
  /** A deflated byte makes at most 1032 bytes. */
  private static final long MAX_RATIO = 1032;

  private static final int END = 0x06054b50;
  private static final int END_BYTES = 22;
  private static final int END64 = 0x06064b50;
  private static final int END64_BYTES = 56;
  private static final int LOCATOR64 = 0x07064b50;
  private static final int LOCATOR64_BYTES = 20;
  private static final int CENTRAL = 0x02014b50;
  private static final int CENTRAL_BYTES = 46;
  private static final int LOCAL = 0x04034b50;
  private static final int LOCAL_BYTES = 30;
  private static final int ENCRYPTED = 1 | 1 << 6 | 1 << 13;
  private static final int UTF8 = 1 << 11;
  private static final int EXTRA64 = 1;
  private static final long MAX_32 = 0xffff_ffffL;

  private static final ValueLayout.OfShort TWO = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt FOUR = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong EIGHT = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /**
   * One file of the archive.
   *
   * @param name its name
   * @param deflated whether {@code data} is compressed
   * @param data its bytes as stored
   * @param size its length once expanded
   * @param crc the CRC-32 of the expanded bytes
   * @param header where its local header starts
   */
  record Entry(String name, boolean deflated, MemorySegment data, long size, int crc, long header) {}

  private final String file;
  private final MemorySegment content;
  private long directory;
  private long directoryEnd;
  private long count;

  private ZipDirectory(String file, MemorySegment content) {
    this.file = file;
    this.content = content;
  }

  /** Reads and checks the directory; entries come in the order of their data. */
  static SequencedMap<String, Entry> read(String file, MemorySegment content) throws MalformedFileException {
    ZipDirectory zip = new ZipDirectory(file, content);
    zip.findDirectory();
    return zip.entries();
  }

  private void findDirectory() throws MalformedFileException {
    long end = content.byteSize() - END_BYTES;
    long lowest = Math.max(0, end - 0xffff);
    while (end >= lowest && (int4(end) != END || end + END_BYTES + int2(end + 20) != content.byteSize())) {
      end--;
    }
    if (end < lowest) {
      throw fault(null, "end of the zip directory", "none", "one at the end of the file");
    }
    count = int2(end + 10);
    directory = uint4(end + 16);
    long bytes = uint4(end + 12);
    directoryEnd = end;
    long disks = int2(end + 4) | int2(end + 6);
    if (end >= LOCATOR64_BYTES && int4(end - LOCATOR64_BYTES) == LOCATOR64) {
      long end64 = int8(end - LOCATOR64_BYTES + 8);
      long expected = end - LOCATOR64_BYTES - END64_BYTES;
      if (end64 < 0 || end64 > expected || int4(end64) != END64) {
        throw fault(null, "offset of the zip64 directory end", end64, "that of one, at most " + expected);
      }
      disks = int4(end64 + 16) | int4(end64 + 20);
      count = int8(end64 + 32);
      bytes = int8(end64 + 40);
      directory = int8(end64 + 48);
      directoryEnd = end64;
    }
    if (disks != 0) {
      throw fault(null, "zip disks", "several", "one");
    }
    if (directory < 0 || bytes < 0 || directory > directoryEnd || bytes != directoryEnd - directory) {
      throw fault(
          null,
          "zip directory offset and length",
          directory + " and " + bytes,
          "a sum of " + directoryEnd + ", where the directory ends");
    }
    if (count < 0 || count > bytes / CENTRAL_BYTES) {
      throw fault(null, "zip entries", count, "at most " + bytes / CENTRAL_BYTES + ", as fit into the directory");
    }
  }

  private SequencedMap<String, Entry> entries() throws MalformedFileException {
    List<Entry> entries = new ArrayList<>();
    long at = directory;
    for (long i = 0; i < count; i++) {
      if (directoryEnd - at < CENTRAL_BYTES || int4(at) != CENTRAL) {
        throw fault(null, "zip directory entry " + i, "something else", "one at byte " + at);
      }
      long next = at + CENTRAL_BYTES + int2(at + 28) + int2(at + 30) + int2(at + 32);
      if (next > directoryEnd) {
        throw fault(null, "end of zip directory entry " + i, next, "at most " + directoryEnd);
      }
      entries.add(entry(at));
      at = next;
    }
    if (at != directoryEnd) {
      throw fault(null, "end of the last zip directory entry", at, directoryEnd + "");
    }
    entries.sort(Comparator.comparingLong(Entry::header));
    SequencedMap<String, Entry> byName = new LinkedHashMap<>();
    long end = 0;
    for (Entry entry : entries) {
      if (entry.header() < end) {
        throw fault(entry.name(), "start of zip entry", entry.header(), "at least " + end + " (no overlap)");
      }
      end = dataOffset(entry) + entry.data().byteSize();
      if (byName.put(entry.name(), entry) != null) {
        throw fault(entry.name(), "zip entries of this name", "several", "one");
      }
    }
    return byName;
  }

  private Entry entry(long at) throws MalformedFileException {
    int flags = int2(at + 8);
    String name = name(content.asSlice(at + CENTRAL_BYTES, int2(at + 28)), (flags & UTF8) != 0);
    if ((flags & ENCRYPTED) != 0) {
      throw fault(name, "zip entry", "encrypted data", "plain data");
    }
    int method = int2(at + 10);
    if (method != 0 && method != 8) {
      throw fault(name, "zip compression method", method, "0 (stored) or 8 (deflated)");
    }
    long[] sizes = {uint4(at + 24), uint4(at + 20), uint4(at + 42)};
    long extra = at + CENTRAL_BYTES + int2(at + 28);
    widen(name, sizes, content.asSlice(extra, int2(at + 30)));
    long size = sizes[0];
    long stored = sizes[1];
    long header = sizes[2];
    if (header < 0 || header > directory - LOCAL_BYTES || int4(header) != LOCAL) {
      throw fault(name, "offset of zip entry", header, "that of one before byte " + directory);
    }
    long data = header + LOCAL_BYTES + int2(header + 26) + int2(header + 28);
    if (stored < 0 || data > directory || stored > directory - data) {
      throw fault(name, "bytes of zip entry", stored, "at most " + Math.max(0, directory - data));
    }
    boolean deflated = method == 8;
    if (size < 0 || (deflated ? size / MAX_RATIO > stored : size != stored)) {
      throw fault(
          name,
          "expanded bytes of zip entry",
          size,
          deflated ? "at most " + MAX_RATIO + " times the " + stored + " compressed ones" : stored + ", as stored");
    }
    MemorySegment central = content.asSlice(at + CENTRAL_BYTES, int2(at + 28));
    if (central.mismatch(content.asSlice(header + LOCAL_BYTES, int2(header + 26))) >= 0 || int2(header + 8) != method) {
      throw fault(name, "local header", "another name or method", "the directory's");
    }
    return new Entry(name, deflated, content.asSlice(data, stored), size, int4(at + 16), header);
  }

  /** Replaces those of size, compressed size and offset that are all ones by the values of the zip64 field. */
  private void widen(String name, long[] sizes, MemorySegment extra) throws MalformedFileException {
    long at = 0;
    while (extra.byteSize() - at >= 4 && extra.get(TWO, at) != EXTRA64) {
      at += 4 + (extra.get(TWO, at + 2) & 0xffff);
    }
    boolean present = extra.byteSize() - at >= 4;
    long end = present ? at + 4 + (extra.get(TWO, at + 2) & 0xffff) : at;
    at += 4;
    for (int i = 0; i < sizes.length; i++) {
      if (sizes[i] == MAX_32 && present) {
        if (end > extra.byteSize() || end - at < 8) {
          throw fault(name, "zip64 field", "too short", "8 bytes for each 32-bit number that is all ones");
        }
        sizes[i] = extra.get(EIGHT, at);
        at += 8;
      }
    }
  }

  private String name(MemorySegment bytes, boolean utf8) throws MalformedFileException {
    byte[] raw = bytes.toArray(ValueLayout.JAVA_BYTE);
    String name;
    try {
      name = (utf8 ? StandardCharsets.UTF_8 : StandardCharsets.US_ASCII)
          .newDecoder()
          .decode(ByteBuffer.wrap(raw))
          .toString();
    } catch (CharacterCodingException e) {
      throw fault(null, "zip entry name", new String(raw, StandardCharsets.ISO_8859_1), utf8 ? "UTF-8" : "ASCII");
    }
    if (!isPlain(name)) {
      throw fault(null, "zip entry name", name, "a relative path without \"..\", '\\' and drives");
    }
    return name;
  }

  /** Whether a name stays inside the folder it would be unpacked to, whoever unpacks it. */
  static boolean isPlain(String name) {
    return !name.isEmpty()
        && !name.startsWith("/")
        && name.indexOf('\\') < 0
        && name.indexOf('\0') < 0
        && !(name.length() > 1 && name.charAt(1) == ':')
        && !List.of(name.split("/")).contains("..");
  }

  private long dataOffset(Entry entry) {
    return entry.header() + LOCAL_BYTES + int2(entry.header() + 26) + int2(entry.header() + 28);
  }

  private int int2(long at) {
    return content.get(TWO, at) & 0xffff;
  }

  private int int4(long at) {
    return content.get(FOUR, at);
  }

  private long uint4(long at) {
    return int4(at) & MAX_32;
  }

  private long int8(long at) {
    return content.get(EIGHT, at);
  }

  private MalformedFileException fault(@Nullable String entry, String what, Object got, String expected) {
    return new MalformedFileException(file, entry, what, got, expected);
  }
}
