package dev.fovea.bench.plot;

import java.awt.Color;

/**
 * A colour by what it is for.
 *
 * @param name of its style
 * @param light the colour on white
 * @param dark the colour on dark
 */
record Ink(String name, Color light, Color dark) {
  static final Ink TEXT = new Ink("ink", 0x24292F, 0xD8DEE4);
  static final Ink MUTED = new Ink("muted", 0x6B7280, 0x9AA4AF);
  static final Ink GRID = new Ink("grid", 0xE3E6EA, 0x333A42);

  /** Told apart by people who see colours differently, too; the first is Fovea's. */
  private static final Ink[] SERIES = {
    new Ink("s0", 0xC8553D, 0xE8775F),
    new Ink("s1", 0x1F4E79, 0x6FA8DC),
    new Ink("s2", 0x7A9CC6, 0xA9C4E6),
    new Ink("s3", 0x3F8F6B, 0x63BE95),
    new Ink("s4", 0xB58A1B, 0xE0B84A),
    new Ink("s5", 0x7D5BA6, 0xB394D9),
    new Ink("s6", 0x2A9DA5, 0x5CCAD1),
    new Ink("s7", 0x8C8C8C, 0xB8B8B8),
  };

  private Ink(String name, int light, int dark) {
    this(name, new Color(light), new Color(dark));
  }

  static Ink series(int index) {
    return SERIES[index % SERIES.length];
  }

  /** The styles of all, for the head of a page. */
  static String css(boolean dark) {
    StringBuilder css = new StringBuilder();
    for (Ink ink : new Ink[] {TEXT, MUTED, GRID}) {
      css.append(ink.rule(dark));
    }
    for (Ink ink : SERIES) {
      css.append(ink.rule(dark));
    }
    return css.toString();
  }

  private String rule(boolean dark) {
    return "--%s:#%06x;".formatted(name, (dark ? this.dark : light).getRGB() & 0xFFFFFF);
  }
}
