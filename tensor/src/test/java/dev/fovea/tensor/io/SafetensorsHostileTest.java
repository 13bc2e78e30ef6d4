package dev.fovea.tensor.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files made to break a reader: each is refused with a message that says why. */
class SafetensorsHostileTest {
  private static void refused(byte[] file, String part) {
    MalformedFileException e = assertThrows(MalformedFileException.class, () -> TestFiles.openSafetensors(file));
    assertEquals("f.safetensors", e.file());
    assertTrue(e.getMessage().startsWith("f.safetensors: "), e.getMessage());
    assertTrue(e.getMessage().contains(part), e.getMessage());
    assertTrue(e.getMessage().length() < 1200, e.getMessage());
  }

  private static String tensor(String dtype, String shape, String offsets) {
    return "{\"a\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}";
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 | start of the header: got nothing, expected '{'",
        "17 | header length: got 17, expected at most 16 (the file has 24 bytes)",
        "100000001 | header length: got 100000001",
        "9223372036854775807 | header length: got 9223372036854775807",
        "9223372036854775800 | header length",
        "-1 | header length: got 18446744073709551615",
        "-9223372036854775808 | header length: got 9223372036854775808",
        "16 | start of the header: got byte 0, expected '{'",
      })
  void headerLengths(long length, String part) {
    refused(
        ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array(), part);
  }

  @Test
  void everyTruncation() {
    byte[] whole = TestFiles.safetensors(tensor("\"U8\"", "[2,3]", "[0,6]"), 6);
    for (int length = 0; length < whole.length; length++) {
      refused(Arrays.copyOf(whole, length), "got");
    }
    refused(Arrays.copyOf(whole, whole.length + 1), "file length: got 70, expected 69 (where the last tensor ends)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"U8\" | [6] | [0,7] | [begin, end] in ascending order within the 6 bytes of data",
        "\"U8\" | [6] | [6,0] | ascending order",
        "\"U8\" | [5] | [0,6] | tensor \"a\": bytes of U8[5]: got 6, expected 5",
        "\"U8\" | [6] | [0,9223372036854775807] | ascending order",
        "\"U8\" | [6] | [0,9223372036854775808] | integers from 0 to 2^63 - 1",
        "\"U8\" | [6] | [0,18446744073709551616] | integers from 0 to 2^63 - 1",
        "\"U8\" | [6] | [-1,6] | integers from 0",
        "\"U8\" | [6] | [0] | ascending order",
        "\"U8\" | [6] | [] | ascending order",
        "\"U8\" | [6] | [0,6,6] | at most 2 integers",
        "\"U8\" | [6] | [0,6.0] | VALUE_NUMBER_FLOAT",
        "\"U8\" | [6] | [0,\"6\"] | VALUE_STRING",
        "\"U8\" | [6] | null | VALUE_NULL",
        "\"U8\" | [-6] | [0,6] | tensor \"a\": shape: got [] then -6",
        "\"U8\" | [-3,-2] | [0,6] | from 0 to",
        "\"U8\" | [1e0,6] | [0,6] | VALUE_NUMBER_FLOAT",
        "\"U8\" | [[6]] | [0,6] | START_ARRAY",
        "\"U8\" | [9223372036854775807,2] | [0,6] | product",
        "\"U8\" | [4294967296,4294967296] | [0,0] | product",
        "\"U8\" | [0,9223372036854775807,9223372036854775807] | [0,0] | product",
        "\"F32\" | [4611686018427387904] | [0,0] | product",
        "\"F4\" | [3] | [0,6] | product is whole bytes",
        "\"F6_E2M3\" | [2] | [0,6] | product is whole bytes",
        "\"f32\" | [6] | [0,6] | dtype: got f32, expected one of [BOOL",
        "\"\" | [6] | [0,6] | dtype",
        "7 | [6] | [0,6] | dtype: got VALUE_NUMBER_INT, expected a string",
      })
  void descriptions(String dtype, String shape, String offsets, String part) {
    refused(TestFiles.safetensors(tensor(dtype, shape, offsets), 6), part);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "[0,2] | [3,6] | start of its data: got 3, expected 2",
        "[1,3] | [3,6] | start of its data: got 1, expected 0",
        "[0,3] | [2,5] | start of its data: got 2, expected 3",
        "[0,6] | [0,6] | start of its data: got 0, expected 6",
        "[0,2] | [2,5] | file length",
      })
  void holesAndOverlaps(String first, String second, String part) {
    String header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":%s},".formatted(length(first), first)
        + "\"b\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":%s}}".formatted(length(second), second);
    refused(TestFiles.safetensors(header, 6), part);
  }

  private static int length(String offsets) {
    return offsets.charAt(3) - offsets.charAt(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "{}{}",
        "{} x",
        "{}]",
        "{,}",
        "{\"a\":}",
        "{\"a\":{}}",
        "{\"a\":[]}",
        "{\"a\":null}",
        "{\"a\":1}",
        "{\"__metadata__\":[]}",
        "{\"__metadata__\":{\"a\":1}}",
        "{\"__metadata__\":{\"a\":null}}",
        "{\"__metadata__\":{\"a\":{}}}",
        "{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}",
        "{\"__metadata__\":{},\"__metadata__\":{}}",
        "{\"__metadata__\":{\"\\ud800\":\"\"}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
            + "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,0]}}",
        "{\"a\":{\"shape\":[0],\"data_offsets\":[0,0]}}",
        "{'a':{}}",
        "{a:{}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0],}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[00],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[NaN],\"data_offsets\":[0,0]}}",
        "{/**/}",
        "{\"a\\x\":{}}",
        "{\"\u0001\":{}}",
      })
  void json(String header) {
    refused(TestFiles.safetensors(header, 0), "got");
  }

  @Test
  void jsonBeyondItsLimits() {
    refused(TestFiles.safetensors("{\"a\":{\"b\":" + "[".repeat(1_000_000), 0), "nesting");
    refused(TestFiles.safetensors("{\"" + "n".repeat(1_000_000) + "\":{}}", 0), "50000");
    refused(TestFiles.safetensors(tensor("\"U8\"", "[" + "9".repeat(1_000_000) + "]", "[0,0]"), 0), "got");
    refused(TestFiles.safetensors(tensor("\"U8\"", Collections.nCopies(65, 1) + "", "[0,1]"), 1), "at most 64");
    refused(TestFiles.safetensors(tensor("\"U8\"", Collections.nCopies(1_000_000, 1) + "", "[0,1]"), 1), "at most 64");
    refused(TestFiles.safetensors("{" + " ".repeat(1_000_000), 0), "got");
  }

  @Test
  void textThatIsNotUtf8() {
    for (byte[] bad : new byte[][] {
      {(byte) 0xff},
      {(byte) 0xc0, (byte) 0x80},
      {(byte) 0xed, (byte) 0xa0, (byte) 0x80},
      {(byte) 0xe2, (byte) 0x82},
      {(byte) 0xf5, (byte) 0x80, (byte) 0x80, (byte) 0x80}
    }) {
      String shown = new String(bad, StandardCharsets.ISO_8859_1);
      byte[] header = ("{\"__metadata__\":{\"a\":\"" + shown + "\"}}").getBytes(StandardCharsets.ISO_8859_1);
      refused(TestFiles.safetensors(header, 0), "JSON");
    }
    byte[] utf16 = "{}".getBytes(StandardCharsets.UTF_16LE);
    refused(TestFiles.safetensors(utf16, 0), "JSON");
    byte[] marked = "\ufeff{}".getBytes(StandardCharsets.UTF_8);
    refused(TestFiles.safetensors(marked, 0), "got byte 239, expected '{'");
  }

  @Test
  void namesAreShownSafely() {
    String name = "\\u001b[31m\\u202e" + "x".repeat(300);
    MalformedFileException e = assertThrows(
        MalformedFileException.class,
        () -> TestFiles.openSafetensors(TestFiles.safetensors("{\"" + name + "\":{\"dtype\":\"?\"}}", 0)));
    assertTrue(e.getMessage().contains("tensor \"\\u001b[31m\\u202exxx"), e.getMessage());
    assertTrue(e.getMessage().contains("x...\": dtype: got ?"), e.getMessage());
    assertEquals(Optional.of("\u001b[31m\u202e" + "x".repeat(300)), e.tensor());
  }

  @Test
  void manyEmptyTensors() throws Exception {
    StringBuilder header = new StringBuilder("{");
    for (int i = 0; i < 20_000; i++) {
      header
          .append(i == 0 ? "" : ",")
          .append('"')
          .append(i)
          .append("\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}");
    }
    TestFiles.openSafetensors(TestFiles.safetensors(header.append('}').toString(), 0));
  }
}
