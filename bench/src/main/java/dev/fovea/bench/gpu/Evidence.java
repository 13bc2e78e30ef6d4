package dev.fovea.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.bench.report.Extra;
import dev.fovea.kernels.cuda.KernelBuild;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * What was found on one GPU: its kernels with the digest of their sources, models, times beside the GPU's limits and
 * the peers, failures. What an earlier file says about things that were not run this time stays.
 */
final class Evidence {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ObjectNode head = JSON.createObjectNode();
  private final Map<String, String> sources = new HashMap<>();
  private final ObjectNode limits = JSON.createObjectNode();
  private final Map<String, ObjectNode> kernels = new TreeMap<>();
  private final Map<String, ObjectNode> earlierKernels = new TreeMap<>();
  private final Map<String, ObjectNode> models = new TreeMap<>();
  private final Map<String, ObjectNode> times = new TreeMap<>();
  private final Map<String, ObjectNode> failures = new TreeMap<>();
  private final Map<String, ObjectNode> unsupported = new TreeMap<>();
  private final List<ObjectNode> cases = new ArrayList<>();
  private final String date;
  private String peers = "not run";
  private int passed;
  private int failed;
  private int notReached;

  /**
   * Nothing yet.
   *
   * @param about what {@link Tasks} says about the device
   * @param emulated whether it is no GPU, but the machine of the tests
   */
  Evidence(Instant now, ObjectNode about, boolean emulated) {
    date = now.toString();
    head.put("gpu", about.path("name").asText());
    if (emulated) {
      head.put("emulated", true);
    }
    for (String field : List.of("capability", "multiprocessors", "memoryBytes", "l2Bytes", "driver")) {
      if (about.has(field)) {
        head.set(field, about.get(field));
      }
    }
    head.put("date", date);
    head.put("fovea", System.getProperty("fovea.evidence.commit", "unknown"));
    head.put("java", Runtime.version().toString());
    KernelBuild build = KernelBuild.find();
    if (build != null) {
      head.put("toolkit", build.toolkit());
      build.families().forEach(family -> sources.put(family.name(), family.sources()));
    }
  }

  String gpu() {
    return "%s, compute capability %s, driver for %s"
        .formatted(
            head.path("gpu").asText(),
            head.path("capability").asText(),
            head.path("driver").asText());
  }

  /** The GPU's name as the name of a file. */
  String fileName() {
    return head.path("gpu")
        .asText()
        .toLowerCase(Locale.ROOT)
        .replaceAll("[^a-z0-9]+", "-")
        .replaceAll("^-|-$", "");
  }

  boolean hasFailures() {
    return failed > 0;
  }

  String summary() {
    return "%d passed, %d failed, %d not reached, %d have no form for GPUs yet; peers: %s"
        .formatted(passed, failed, notReached, unsupported.size(), peers);
  }

  static String count(Job job) {
    long good = job.results().stream().filter(r -> status(r).equals("passed")).count();
    long bad = job.results().stream().filter(r -> status(r).equals("failed")).count();
    String problem = job.problem();
    return problem != null
        ? problem
        : "%d passed, %d failed, %d unsupported, %d not reached"
            .formatted(good, bad, job.results().size() - good - bad, job.notReached());
  }

  private static String status(JsonNode result) {
    return result.path("status").asText();
  }

  private static String key(JsonNode result) {
    return result.path("kernel").asText() + " " + result.path("shape").asText();
  }

  // What was found before

  void readEarlier(Path file) throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    JsonNode earlier = JSON.readTree(file.toFile());
    earlier.path("kernels").forEach(k -> earlierKernels.put(key(k.path("family"), k.path("kernel")), (ObjectNode) k));
    earlier.path("models").forEach(m -> models.put(key(m), (ObjectNode) m));
    earlier.path("times").forEach(t -> times.put(key(t), (ObjectNode) t));
    earlier.path("failures").forEach(f -> failures.put(key(f), (ObjectNode) f));
    earlier.path("limits").properties().forEach(limit -> limits.set(limit.getKey(), limit.getValue()));
  }

  private static String key(JsonNode family, JsonNode kernel) {
    return family.asText() + "/" + kernel.asText();
  }

  // What is found now

  void add(String stage, Job job) {
    notReached += job.notReached();
    if (job.problem() != null) {
      failures.put(
          stage + " " + job.name(),
          JSON.createObjectNode()
              .put("kernel", stage)
              .put("shape", job.name())
              .put("date", date)
              .put("message", job.problem()));
      failed++;
    }
    for (ObjectNode result : job.results()) {
      result.remove("end");
      result.put("stage", stage).put("date", date);
      cases.add(result);
      if (status(result).equals("unsupported")) {
        unsupported.put(result.path("kernel").asText(), result);
        continue;
      }
      boolean good = status(result).equals("passed");
      passed += good ? 1 : 0;
      failed += good ? 0 : 1;
      failures.remove(key(result));
      if (!good) {
        failures.put(key(result), result);
      }
      if (!stage.equals("limits")) {
        result.path("functions").forEach(function -> count(function.asText(), result, good));
      }
      keep(stage, result, good);
    }
  }

  private void keep(String stage, ObjectNode result, boolean good) {
    switch (stage) {
      case "models" -> models.put(key(result), result);
      case "times" -> {
        times.remove(key(result));
        if (good) {
          times.put(key(result), result);
        }
      }
      case "limits" -> {
        if (good) {
          limit(result.path("kernel").asText(), result.path("shape").asText(), rate(result), "fovea");
        }
      }
      default -> {
        // Cases are counted by the kernels that they launched.
      }
    }
  }

  private void count(String function, ObjectNode result, boolean good) {
    int slash = function.indexOf('/');
    String family = function.substring(0, Math.max(0, slash));
    ObjectNode kernel = kernels.computeIfAbsent(
        function,
        f -> JSON.createObjectNode()
            .put("family", family)
            .put("kernel", f.substring(slash + 1))
            .put("sources", sources.getOrDefault(family, ""))
            .put("date", date)
            .put("cases", 0)
            .put("failed", 0)
            .put("error", 0.0)
            .put("ofTolerance", 0.0));
    kernel.put("cases", kernel.path("cases").intValue() + 1);
    kernel.put("failed", kernel.path("failed").intValue() + (good ? 0 : 1));
    if (result.path("stage").asText().equals("models")) {
      return; // Its errors are those of many kernels, relative to other things.
    }
    for (String field : List.of("error", "ofTolerance")) {
      kernel.put(
          field, Math.max(kernel.path(field).doubleValue(), result.path(field).doubleValue()));
    }
  }

  /** TFLOP/s or TB/s. */
  private static double rate(JsonNode result) {
    double flops = result.path("flops").doubleValue();
    double work = flops > 0 ? flops : result.path("bytes").doubleValue();
    return work / result.path("micros").doubleValue() * 1e-6;
  }

  private void limit(String what, String type, double rate, String by) {
    String name = what.equals("copy") ? "copy" : what + " " + type;
    if (rate > limits.path(name).path("rate").doubleValue()) {
      limits
          .putObject(name)
          .put("rate", round(rate))
          .put("unit", what.equals("copy") ? "TB/s" : "TFLOP/s")
          .put("by", by)
          .put("date", date);
    }
  }

  // Peers

  /** Those that have peers on tensor cores first. */
  List<String> timedShapes() {
    return times.values().stream()
        .sorted(Comparator.comparing(time -> !key(time).contains("BF16")))
        .map(time -> time.path("kernel").asText() + "\t" + time.path("shape").asText())
        .toList();
  }

  void addPeers(Job job) {
    String problem = job.problem();
    String said = job.name() + " " + Objects.requireNonNullElse(problem, count(job));
    peers = peers.equals("not run") ? said : peers + "; " + said;
    if (problem != null) {
      head.put(
          "withoutPeers", head.has("withoutPeers") ? head.path("withoutPeers").asText() + "; " + said : said);
    }
    for (ObjectNode result : job.results()) {
      if (result.has("limit")) {
        limit(
            result.path("limit").asText(),
            result.path("shape").asText(),
            result.path("rate").doubleValue(),
            result.path("by").asText());
      }
      ObjectNode time = times.get(key(result));
      if (time != null && result.path("peers").isObject()) {
        time.withObject("/peers").setAll((ObjectNode) result.get("peers"));
      }
      if (result.has("versions")) {
        head.withObject("/peers").setAll((ObjectNode) result.get("versions"));
      }
    }
  }

  // The file

  void write(Path folder) throws IOException {
    List<String> lines = new ArrayList<>();
    head.properties().forEach(field -> lines.add(field(field.getKey(), field.getValue())));
    lines.add(field("limits", limits));
    lines.add(array("kernels", mergedKernels()));
    lines.add(array("models", models.values().stream().map(this::slim).toList()));
    lines.add(array("times", times.values().stream().map(this::timed).toList()));
    lines.add(array("failures", failures.values().stream().map(this::slim).toList()));
    lines.add(field("unsupported", JSON.valueToTree(unsupported.keySet())));
    lines.add(field("notReached", JSON.getNodeFactory().numberNode(notReached)));
    Path file = folder.resolve(fileName() + ".json");
    Files.writeString(file, "{\n" + String.join(",\n", lines) + "\n}\n");
    Files.write(
        folder.resolve(fileName() + ".cases.jsonl"),
        cases.stream().map(JsonNode::toString).toList());
  }

  private static String field(String name, JsonNode value) {
    return "  \"" + name + "\": " + value;
  }

  private static String array(String name, List<? extends JsonNode> elements) {
    StringBuilder text = new StringBuilder("  \"" + name + "\": [");
    String separator = "\n    ";
    for (JsonNode element : elements) {
      text.append(separator).append(element);
      separator = ",\n    ";
    }
    return text.append(elements.isEmpty() ? "]" : "\n  ]").toString();
  }

  /** A few cases of a kernel do not replace the many that passed before, of the same sources. */
  private List<ObjectNode> mergedKernels() {
    Map<String, ObjectNode> merged = new TreeMap<>(earlierKernels);
    kernels.forEach((name, now) -> {
      ObjectNode before = merged.get(name);
      boolean fewer = before != null
          && before.path("sources").equals(now.path("sources"))
          && before.path("cases").intValue() > now.path("cases").intValue()
          && before.path("failed").intValue() == 0
          && now.path("failed").intValue() == 0;
      if (!fewer) {
        merged.put(name, now);
      }
    });
    return List.copyOf(merged.values());
  }

  private ObjectNode slim(ObjectNode result) {
    ObjectNode slim = result.deepCopy();
    slim.remove(List.of("seconds", "low", "high", "repetitions", Extra.HOST_MICROS));
    return slim;
  }

  private ObjectNode timed(ObjectNode result) {
    ObjectNode time = result.deepCopy();
    time.remove(List.of("seconds", "stage", "status"));
    if (!time.has("sources")) {
      ObjectNode made = time.putObject("sources");
      result.path("functions").forEach(function -> {
        String family = function.asText().replaceAll("/.*", "");
        made.put(family, sources.getOrDefault(family, ""));
      });
    }
    boolean product = time.path("flops").doubleValue() > 0;
    JsonNode limit = limits.path(product ? "gemm " + (key(result).contains("BF16") ? "BF16" : "F32") : "copy");
    double rate = rate(time);
    time.put("rate", round(rate)).put("unit", product ? "TFLOP/s" : "TB/s");
    if (limit.has("rate")) {
      time.put("ofLimit", round(rate / limit.path("rate").doubleValue()));
    }
    return time;
  }

  private static double round(double value) {
    return Double.parseDouble(String.format(Locale.ROOT, "%.4g", value));
  }
}
