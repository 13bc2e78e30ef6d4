import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What kernels use beside what their sources say they may, and how the binaries were made. */
record Report(Places places, Toolkit toolkit, Digests digests) {
  private static final Pattern LIMIT =
      Pattern.compile("(?m)^// limit (\\S+): (\\d+) registers, (\\d+) spilled bytes, (\\d+) shared bytes$");

  /** What kernels of some names may use, or what one of them does use on one GPU. */
  private record Limit(String names, int registers, int spilled, int shared) {
    boolean covers(String kernel) {
      return kernel.matches(names.replace("*", ".*"));
    }
  }

  void write(List<Family> families) throws IOException {
    List<String> lines = new ArrayList<>();
    StringBuilder made = new StringBuilder();
    for (Family family : families) {
      List<Limit> limits = LIMIT
          .matcher(Files.readString(family.source()))
          .results()
          .map(m -> new Limit(m.group(1), number(m.group(2)), number(m.group(3)), number(m.group(4))))
          .toList();
      for (String target : family.targets()) {
        used(Files.readString(places.file(family, target + ".log")))
            .forEach((kernel, uses) -> lines.add(line(family, target, kernel, uses, limits)));
      }
      made.append("family.%s=%s %s\n"
          .formatted(
              family.name(),
              digests.sources(family),
              String.join(
                  " ",
                  used(Files.readString(places.file(family, family.targets().getFirst() + ".log")))
                      .keySet())));
    }
    Files.writeString(
        places.work().resolve("report.json"),
        "{\"toolkit\": \"" + toolkit.version() + "\", \"kernels\": [\n" + String.join(",\n", lines) + "\n]}\n");
    Files.writeString(
        places.fatBinaries().resolve("kernels.properties"),
        "# How the fat binaries beside this were made.\ntoolkit=" + toolkit.version() + "\ntargets="
            + families.stream()
                .flatMap(family -> family.targets().stream())
                .distinct()
                .map(target -> "sm_" + target)
                .collect(Collectors.joining(" "))
            + "\n" + made);
  }

  /** What the assembler said about each kernel. */
  private static Map<String, Limit> used(String log) {
    Map<String, Limit> used = new TreeMap<>();
    for (String part : log.split("Compiling entry function '")) {
      Matcher registers = Pattern.compile("Used (\\d+) registers").matcher(part);
      if (registers.find()) {
        int spilled = found(part, "(\\d+) bytes spill stores") + found(part, "(\\d+) bytes spill loads");
        String kernel = part.substring(0, part.indexOf('\''));
        used.put(kernel, new Limit(kernel, number(registers.group(1)), spilled, found(part, "(\\d+) bytes smem")));
      }
    }
    return used;
  }

  private static String line(Family family, String target, String kernel, Limit uses, List<Limit> limits) {
    String limit = limits.stream()
        .filter(one -> one.covers(kernel))
        .findFirst()
        .map(one -> "{" + fields(one) + "}")
        .orElse("null");
    return "  {\"family\": \"%s\", \"kernel\": \"%s\", \"target\": \"sm_%s\", %s, \"limit\": %s}"
        .formatted(family.name(), kernel, target, fields(uses), limit);
  }

  private static String fields(Limit limit) {
    return "\"registers\": %d, \"spilled\": %d, \"shared\": %d".formatted(limit.registers, limit.spilled, limit.shared);
  }

  private static int found(String text, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    return matcher.find() ? number(matcher.group(1)) : 0;
  }

  private static int number(String digits) {
    return Integer.parseInt(digits);
  }
}
