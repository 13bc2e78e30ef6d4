package dev.fovea.vit.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.kernels.DType;
import dev.fovea.tensor.Recompute;
import dev.fovea.vit.model.Costs;
import dev.fovea.vit.model.Presets;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.weights.Checkpoint;
import dev.fovea.vit.weights.TimmConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints what models are made of and what they cost. */
@Command(
    name = "info",
    sortOptions = false,
    description = {
      "Show what a model is made of and what it costs.",
      "",
      "For each MODEL: its shape, parameters by part, operations of a forward pass (two for each multiplication with "
          + "an addition), and the memory per picture that training needs beside parameters, for each way to save or "
          + "recompute activations. Nothing is allocated, so any size will do. Without a MODEL: a table of the presets."
    },
    footer = {
      "",
      "Examples:",
      "  fovea info",
      "  fovea info so400m/14 --size 224 --size 518",
      "  fovea info downloads/vit_base_patch16_224 --json"
    })
final class InfoCommand implements Runnable {
  private static final List<DType> DTYPES = List.of(DType.F32, DType.BF16);

  /** What differs in memory as it is counted here. */
  private static final List<Recompute> POLICIES = List.of(Recompute.NONE, Recompute.SELECTIVE, Recompute.BLOCK);

  @Parameters(
      paramLabel = "MODEL",
      description =
          "A preset such as B/16, ViT-g/14 or 22B; the name of a timm architecture; or a model's folder or " + "file.")
  private List<String> models = new ArrayList<>();

  @Option(
      names = "--size",
      paramLabel = "N",
      description =
          "Pixels of square pictures to give costs for; may be repeated (default: 224, 384 and the model's own "
              + "size).")
  private List<Integer> sizes = new ArrayList<>();

  @Option(names = "--json", description = "Print JSON: a list with an object for each model.")
  private boolean json;

  @Spec
  private CommandSpec spec;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    Map<String, VitConfig> configs = new LinkedHashMap<>();
    for (String name : models.isEmpty() ? Presets.names() : models) {
      configs.put(name, find(name));
    }
    configs.forEach((name, config) -> sizes.forEach(size -> checkSize(name, config, size)));
    if (json) {
      ArrayNode all = new ObjectMapper().createArrayNode();
      configs.forEach((name, config) -> all.add(describe(name, config)));
      out.println(text(all));
    } else if (models.isEmpty()) {
      table(out, configs);
    } else {
      configs.forEach((name, config) -> print(out, name, config));
    }
  }

  private VitConfig find(String name) {
    if (Files.exists(Path.of(name))) {
      try (Checkpoint checkpoint = Checkpoint.open(Path.of(name))) {
        return checkpoint.config();
      } catch (IOException e) {
        throw new UncheckedIOException(e.getMessage(), e);
      }
    }
    if (TimmConfig.architectures().contains(name)) {
      return TimmConfig.of(name);
    }
    if (!Presets.knows(name)) {
      throw new ParameterException(
          spec.commandLine(),
          "MODEL: got %s, expected a folder, a file, an architecture of timm, or one of %s"
              .formatted(name, String.join(", ", Presets.names())));
    }
    try {
      return Presets.of(name);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), name + ": " + e.getMessage(), e);
    }
  }

  private List<Integer> sizesOf(VitConfig config) {
    if (!sizes.isEmpty()) {
      return sizes;
    }
    Set<Integer> usual = new TreeSet<>(List.of(224, 384));
    if (config.imageHeight() == config.imageWidth()) {
      usual.add(config.imageHeight());
    }
    usual.removeIf(size -> size < Math.max(config.patchHeight(), config.patchWidth()));
    return List.copyOf(usual);
  }

  private void checkSize(String name, VitConfig config, int size) {
    int patch = Math.max(config.patchHeight(), config.patchWidth());
    if (size < patch || size > 1 << 16) {
      throw new ParameterException(
          spec.commandLine(), "--size: got %d, expected %d to 65536 for %s".formatted(size, patch, name));
    }
  }

  private static Costs at(VitConfig config, int size) {
    return Costs.of(config.toBuilder().image(size).build());
  }

  private static long total(VitConfig config) {
    return Costs.of(config).parameters().values().stream()
        .mapToLong(Long::longValue)
        .sum();
  }

  private void table(PrintWriter out, Map<String, VitConfig> configs) {
    StringBuilder heading = new StringBuilder("%-10s %6s %6s %6s %6s %12s %12s"
        .formatted("preset", "width", "blocks", "MLP", "heads", "trunk (M)", "with MAP (M)"));
    List<Integer> shown = sizes.isEmpty() ? List.of(224, 384) : sizes;
    shown.forEach(size -> heading.append(" %14s".formatted("GFLOPs " + size)));
    out.println(heading);
    configs.forEach((name, config) -> {
      Map<Costs.Part, Long> parts = Costs.of(config).parameters();
      StringBuilder row = new StringBuilder("%-10s %6d %6d %6d %6d %12s %12s"
          .formatted(
              name,
              config.width(),
              config.depth(),
              config.mlp(),
              config.heads(),
              millions(total(config) - parts.getOrDefault(Costs.Part.POOL, 0L)),
              millions(total(config))));
      shown.forEach(size ->
          row.append(" %14s".formatted(billions(at(config, size).flops()))));
      out.println(row);
    });
    out.println();
    out.println("GFLOPs are those of a forward pass with the MAP head. 'fovea info NAME' shows more about one.");
  }

  private void print(PrintWriter out, String name, VitConfig config) {
    out.printf("%s: %s%n", name, kind(config));
    out.printf(
        "  %-22s %d x %d pixels in patches of %d x %d: %d tokens%n",
        "pictures",
        config.imageHeight(),
        config.imageWidth(),
        config.patchHeight(),
        config.patchWidth(),
        config.tokens());
    out.printf(
        "  %-22s %d blocks of width %d, %d heads of %d, MLP %d%n",
        "trunk", config.depth(), config.width(), config.heads(), config.headDim(), config.mlp());
    out.println("  parameters");
    Costs.of(config).parameters().forEach((part, count) -> {
      if (count > 0) {
        line(out, word(part), "%,17d".formatted(count));
      }
    });
    line(out, "total", "%,17d".formatted(total(config)));
    out.println("  forward pass of one picture");
    for (int size : sizesOf(config)) {
      line(out, size + " pixels", billions(at(config, size).flops()) + " GFLOPs");
    }
    out.println(
        "  training, MiB per picture beside parameters: saved / most during the backward pass, by recomputation");
    StringBuilder heading = new StringBuilder();
    for (Recompute policy : POLICIES) {
      heading.append("%-20s".formatted(word(policy)));
    }
    line(out, "", heading.toString().stripTrailing());
    for (int size : sizesOf(config)) {
      for (DType dtype : DTYPES) {
        StringBuilder row = new StringBuilder();
        for (Recompute policy : POLICIES) {
          Costs costs = at(config, size);
          row.append("%-20s"
              .formatted(
                  mebibytes(costs.savedBytes(policy, dtype)) + " / " + mebibytes(costs.peakBytes(policy, dtype))));
        }
        line(out, "%d pixels %s".formatted(size, dtype), row.toString().stripTrailing());
      }
    }
  }

  private static void line(PrintWriter out, String label, String value) {
    out.printf("    %-20s %s%n", label, value);
  }

  private static String kind(VitConfig config) {
    List<String> parts = new ArrayList<>();
    parts.add(
        word(config.block()) + " blocks" + (config.branches() > 1 ? " of " + config.branches() + " branches" : ""));
    parts.add(
        (config.norm().centered() ? "LayerNorm" : "RMSNorm") + (config.norm().bias() ? "" : " without bias"));
    parts.add(config.gated() ? "SwiGLU" : config.activation().name());
    if (config.qkNorm() != null) {
      parts.add("QK-norm");
    }
    if (config.layerScale()) {
      parts.add("LayerScale");
    }
    if (config.stem() == VitConfig.Stem.HMLP) {
      parts.add("hMLP stem");
    }
    parts.add(word(config.positions()) + " positions");
    if (config.registers() > 0) {
      parts.add(config.registers() + " registers");
    }
    parts.add(word(config.pool()) + " pooling");
    parts.add(config.classes() > 0 ? config.classes() + " classes" : "no classifier");
    return String.join(", ", parts);
  }

  private ObjectNode describe(String name, VitConfig config) {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode model = mapper.createObjectNode().put("model", name);
    try {
      model.set("config", mapper.readTree(config.toJson()));
    } catch (JsonProcessingException e) {
      throw new AssertionError("JSON of our own", e);
    }
    model.put("tokens", config.tokens());
    ObjectNode parameters = model.putObject("parameters");
    Costs.of(config).parameters().forEach((part, count) -> parameters.put(word(part), count));
    parameters.put("total", total(config));
    ArrayNode bySize = model.putArray("sizes");
    for (int size : sizesOf(config)) {
      Costs costs = at(config, size);
      ObjectNode one = bySize.addObject().put("size", size);
      one.put("flops", costs.flops()).put("trunk_flops", costs.trunkFlops());
      ObjectNode memory = one.putObject("training_bytes_per_picture");
      for (DType dtype : DTYPES) {
        ObjectNode byPolicy = memory.putObject(dtype.name().toLowerCase(Locale.ROOT));
        for (Recompute policy : POLICIES) {
          byPolicy
              .putObject(word(policy))
              .put("saved", costs.savedBytes(policy, dtype))
              .put("peak", costs.peakBytes(policy, dtype));
        }
      }
    }
    return model;
  }

  private static String text(ArrayNode all) {
    try {
      return new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(all);
    } catch (JsonProcessingException e) {
      throw new AssertionError("a tree of plain values", e);
    }
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static String millions(long count) {
    return String.format(Locale.ROOT, "%.2f", count / 1e6);
  }

  private static String billions(long count) {
    return String.format(Locale.ROOT, count < 1e8 ? "%.4f" : "%.2f", count / 1e9);
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f", bytes / (double) (1 << 20));
  }
}
