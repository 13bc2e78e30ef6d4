package dev.fovea.vit.model;

import dev.fovea.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sequential blocks put side by side: the same parameters under other names (Three things, section 3). */
final class Things {
  private static final Pattern NAME = Pattern.compile("blocks\\.(\\d+)\\.(norm1|attn|ls1|norm2|mlp|ls2)(\\..*)?");

  private Things() {}

  /** The configuration with every {@code branches} blocks in one. */
  static VitConfig parallel(VitConfig config, int branches) {
    if (config.block() != VitConfig.Block.SEQUENTIAL) {
      throw new IllegalArgumentException("block: got %s, expected SEQUENTIAL".formatted(config.block()));
    }
    if (branches < 1 || config.depth() % branches != 0) {
      throw new IllegalArgumentException(
          "branches: got %d, expected a divisor of the depth, %d".formatted(branches, config.depth()));
    }
    return config.toBuilder()
        .block(VitConfig.Block.THINGS)
        .branches(branches)
        .depth(config.depth() / branches)
        .build();
  }

  /** The parameters of the sequential model by the names of the parallel one. */
  static Map<String, Tensor> rename(Map<String, Tensor> parameters, int branches) {
    Map<String, Tensor> renamed = new LinkedHashMap<>();
    parameters.forEach((name, tensor) -> renamed.put(rename(name, branches), tensor));
    return renamed;
  }

  private static String rename(String name, int branches) {
    Matcher match = NAME.matcher(name);
    if (!match.matches()) {
      return name;
    }
    int block = Integer.parseInt(match.group(1));
    String rest = match.group(3) == null ? "" : match.group(3);
    String part = match.group(2);
    String kind = part.equals("norm1") || part.equals("attn") || part.equals("ls1") ? "attns" : "ffns";
    String own = switch (part) {
      case "norm1", "norm2" -> "norm";
      case "ls1", "ls2" -> "ls";
      default -> part;
    };
    return "blocks.%d.%s.%d.%s%s".formatted(block / branches, kind, block % branches, own, rest);
  }
}
