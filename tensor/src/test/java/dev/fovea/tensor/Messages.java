package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.function.Executable;

/** Asserts exceptions with their messages, in which {@code SITE} stands for a line of a test. */
final class Messages {
  private Messages() {}

  static void assertMessage(Class<? extends Throwable> type, String expected, Executable code) {
    String message = String.valueOf(assertThrows(type, code).getMessage());
    assertEquals(
        expected, message.replaceAll("at dev\\.fovea\\.tensor\\.\\w*Test[\\w.$]*\\(\\w+\\.java:\\d+\\)", "SITE"));
  }

  static void assertIllegal(String expected, Executable code) {
    assertMessage(IllegalArgumentException.class, expected, code);
  }

  static void assertState(String expected, Executable code) {
    assertMessage(IllegalStateException.class, expected, code);
  }
}
