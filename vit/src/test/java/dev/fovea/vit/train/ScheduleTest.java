package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Learning rates, to the last bit those of big_vision. */
final class ScheduleTest {
  private static JsonNode fixture() throws IOException {
    try (var in = ScheduleTest.class.getResourceAsStream("schedules.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  private static void check(Schedule schedule, String name) throws IOException {
    JsonNode points = fixture().get("points");
    JsonNode rates = fixture().get(name).get("lr");
    assertEquals(points.size(), rates.size());
    for (int i = 0; i < points.size(); i++) {
      assertEquals(rates.get(i).asDouble(), schedule.at(points.get(i).asLong()), name + " at " + points.get(i));
    }
  }

  @Test
  void reciprocalSquareRoot() throws IOException {
    check(new Schedule.ReciprocalSqrt(8e-4, 5000, 300, 700, 1000), "rsqrt");
  }

  @Test
  void cosine() throws IOException {
    check(new Schedule.Cosine(1e-3, 5000, 250), "cosine");
  }

  @Test
  void thePapersOwnRun() {
    var schedule = new Schedule.ReciprocalSqrt(8e-4, 1_000_000, 10_000, 50_000, 10_000);
    assertEquals(8e-8, schedule.at(1), 1e-20);
    assertEquals(5.656854e-4, schedule.at(20_000), 1e-10);
    assertEquals(2.412091e-4, schedule.at(110_000), 1e-10);
    assertEquals(4.050957e-5, schedule.at(975_000), 1e-11);
    assertEquals(0, schedule.at(1_000_000));
  }

  @Test
  void constant() {
    var schedule = new Schedule.Constant(0.5, 100, 10, 0);
    assertEquals(0, schedule.at(0));
    assertEquals(0.25, schedule.at(5));
    assertEquals(0.5, schedule.at(10));
    assertEquals(0.5, schedule.at(99));
  }

  /** Of a rate that stays the same as of one that falls: a straight line to 0. */
  @Test
  void cooldown() {
    var constant = new Schedule.Constant(0.5, 100, 10, 20);
    assertEquals(0.5, constant.at(80));
    assertEquals(0.25, constant.at(90));
    assertEquals(0, constant.at(100));
    var falling = new Schedule.ReciprocalSqrt(0.5, 100, 10, 20, 30);
    var before = new Schedule.ReciprocalSqrt(0.5, 100, 10, 0, 30);
    assertEquals(before.at(80), falling.at(80));
    assertEquals(before.at(95) / 4, falling.at(95));
  }

  @Test
  void badNumbersAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Schedule.Cosine(-1, 10, 0));
    assertThrows(IllegalArgumentException.class, () -> new Schedule.ReciprocalSqrt(1, 10, 0, 0, 0));
  }
}
