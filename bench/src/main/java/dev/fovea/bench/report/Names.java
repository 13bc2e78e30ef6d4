package dev.fovea.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What is measured, in the words of people who have not seen the benchmarks. */
final class Names {
  private static final Pattern SHAPE = Pattern.compile("(\\S+/\\d+) (\\d+)x(\\d+)(?: (\\S+))?");
  private static final Pattern TIMM = Pattern.compile("vit_(\\w+)_patch(\\d+).*");

  private static final Map<String, String> LAYERS = Map.of(
      "qkv", "queries, keys and values",
      "proj", "projection behind attention",
      "fc1", "first layer of the MLP",
      "fc2", "second layer of the MLP");

  private static final Map<String, String> KERNELS = Map.ofEntries(
      Map.entry("attention forward", "attention"),
      Map.entry("attention backward", "attention backward"),
      Map.entry("norm layer", "LayerNorm"),
      Map.entry("norm backward", "LayerNorm backward"),
      Map.entry("norm rms", "RMSNorm"),
      Map.entry("elementwise gelu", "GELU"),
      Map.entry("elementwise geluTanh", "GELU by tanh"),
      Map.entry("elementwise geluGradient", "GELU backward"),
      Map.entry("elementwise add", "sum of two tensors"),
      Map.entry("elementwise multiply", "product of two tensors"),
      Map.entry("elementwise swiglu", "SwiGLU"),
      Map.entry("optimizer adamW", "AdamW"),
      Map.entry("optimizer adafactor", "Adafactor"),
      Map.entry("train step", "training step"));

  private static final Map<String, String> PEERS = Map.of(
      "openblas", "OpenBLAS",
      "mkl", "MKL",
      "djl", "PyTorch in DJL",
      "pytorch", "PyTorch eager",
      "onnxruntime", "ONNX Runtime",
      "nd4j", "ND4J");

  private static final Map<String, String> TIMM_SIZES =
      Map.of("tiny", "Ti", "small", "S", "base", "B", "large", "L", "so400m", "So400m", "so150m", "So150m");

  private Names() {}

  /** A library. */
  static String peer(String variant) {
    return PEERS.getOrDefault(variant.replaceFirst(":.*", ""), variant);
  }

  /** A piece of work, as in "LayerNorm backward, ViT-B/16, 32 × 197 tokens, BF16". */
  static String of(Subject subject) {
    List<String> words = new ArrayList<>();
    String kernel = subject.suite() + " " + subject.benchmark();
    if (KERNELS.containsKey(kernel)) {
      words.add(KERNELS.getOrDefault(kernel, ""));
    } else if (!subject.benchmark().equals("run")) {
      words.add(subject.benchmark());
    }
    subject.parameters().forEach((name, value) -> words.add(parameter(name, value)));
    words.removeIf(String::isEmpty);
    String text = String.join(", ", words);
    return text.isEmpty() ? text : Character.toUpperCase(text.charAt(0)) + text.substring(1);
  }

  private static String parameter(String name, String value) {
    return switch (name) {
      case "shape" -> shape(value);
      case "model" -> model(value);
      case "batch" -> pictures(value);
      case "pass" -> value.equals("gradients") ? "forward and backward" : "";
      case "dtype" -> value.equals("F32") ? "" : value;
      case "recompute" -> value.equals("NONE") ? "" : "recomputing " + value;
      default -> value;
    };
  }

  private static String shape(String value) {
    Matcher paper = SHAPE.matcher(value);
    if (!paper.matches()) {
      return value.contains("/") ? model(value) : value.replace("x", " × ");
    }
    String batch = paper.group(2).equals("1") ? "" : paper.group(2) + " × ";
    List<String> words = new ArrayList<>(List.of(model(paper.group(1)), batch + paper.group(3) + " tokens"));
    if (paper.group(4) != null) {
      words.add(LAYERS.getOrDefault(paper.group(4), paper.group(4)));
    }
    return String.join(", ", words);
  }

  private static String model(String value) {
    Matcher timm = TIMM.matcher(value);
    if (!timm.matches()) {
      return value.contains("/") ? "ViT-" + value : value;
    }
    String size = timm.group(1);
    return "ViT-%s/%s".formatted(TIMM_SIZES.getOrDefault(size, size), timm.group(2));
  }

  private static String pictures(String count) {
    return count.equals("1") ? "1 picture" : count + " pictures";
  }
}
