package dev.fovea.vit.cli;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Amounts of memory as people write them: 800M, 1.5GB, 6GiB. */
final class Bytes implements ITypeConverter<Long> {
  private static final Pattern AMOUNT = Pattern.compile("(\\d{1,12}(?:\\.\\d{1,6})?)\\s?([kmgt]?)(i?)b?");
  private static final Map<String, Integer> POWERS = Map.of("", 0, "k", 1, "m", 2, "g", 3, "t", 4);

  @Override
  public Long convert(String value) {
    Matcher amount = AMOUNT.matcher(value.strip().toLowerCase(Locale.ROOT));
    if (!amount.matches()) {
      throw new TypeConversionException("got '" + value + "', expected an amount of memory such as 800M or 6GB");
    }
    double unit = amount.group(3).isEmpty() ? 1000 : 1024;
    return Math.round(Double.parseDouble(amount.group(1)) * Math.pow(unit, POWERS.getOrDefault(amount.group(2), 0)));
  }
}
