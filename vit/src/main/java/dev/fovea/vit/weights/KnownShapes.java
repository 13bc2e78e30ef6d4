package dev.fovea.vit.weights;

import dev.fovea.kernels.Activation;
import dev.fovea.vit.model.VitConfig;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What shapes alone do not tell, looked up among timm's architectures: the number of heads, the kind of GELU and the
 * epsilon of norms. It counts only if all architectures of the same shape agree, or the file's name says which it is.
 */
final class KnownShapes {
  private KnownShapes() {}

  /** Heads of a trunk of this width and depth. */
  static int heads(Found found, int width, int depth) {
    List<VitConfig> like = TimmConfig.architectures().stream()
        .map(TimmConfig::of)
        .filter(known -> known.width() == width && known.depth() == depth)
        .toList();
    return agreed(found, "num_attention_heads", like, VitConfig::heads);
  }

  /** This configuration with heads, activation and epsilons of the known architectures that have its shape. */
  static VitConfig complete(VitConfig observed, Found found, String name) {
    Set<String> like = TimmConfig.architectures().stream()
        .filter(known -> shape(TimmConfig.of(known)).equals(shape(observed)))
        .collect(Collectors.toCollection(TreeSet::new));
    String lower = name.toLowerCase(Locale.ROOT);
    Set<String> named = like.stream().filter(lower::contains).collect(Collectors.toCollection(TreeSet::new));
    List<VitConfig> candidates =
        (named.isEmpty() ? like : named).stream().map(TimmConfig::of).toList();
    VitConfig.Norm norm = agreed(found, "norm_layer", candidates, VitConfig::norm);
    return observed.toBuilder()
        .heads(agreed(found, "num_heads", candidates, VitConfig::heads))
        .activation(agreed(found, "act_layer", candidates, VitConfig::activation))
        .norm(norm)
        .qkNorm(observed.qkNorm() == null ? null : norm)
        .preNorm(observed.preNorm() == null ? null : norm)
        .finalNorm(observed.finalNorm() == null ? null : norm)
        .headNorm(observed.headNorm() == null ? null : norm)
        .poolHeads(0)
        .poolActivation(Activation.NONE)
        .build();
  }

  /** A configuration without what shapes do not tell, and without what differs between uses of one model. */
  private static VitConfig shape(VitConfig config) {
    VitConfig.Norm norm =
        new VitConfig.Norm(config.norm().centered(), config.norm().bias(), 0);
    return config.toBuilder()
        .image(config.patchHeight() * 64)
        .dynamicSize(false)
        .heads(1)
        .poolHeads(1)
        .activation(Activation.NONE)
        .poolActivation(Activation.NONE)
        .norm(norm)
        .qkNorm(config.qkNorm() == null ? null : norm)
        .preNorm(config.preNorm() == null ? null : norm)
        .finalNorm(config.finalNorm() == null ? null : norm)
        .headNorm(config.headNorm() == null ? null : norm)
        .prefixPositions(config.prefixPositions() && config.prefixTokens() > 0)
        .classes(0)
        .build();
  }

  private static <T> T agreed(Found found, String what, List<VitConfig> candidates, Function<VitConfig, T> value) {
    Set<T> values = candidates.stream().map(value).collect(Collectors.toSet());
    if (values.isEmpty()) {
      throw new IllegalArgumentException(
          ("%s: the tensors alone do not tell %s, and no known architecture has these shapes: expected a config.json"
                  + " beside it")
              .formatted(found.file(), what));
    }
    if (values.size() != 1) {
      throw new IllegalArgumentException(
          ("%s: the tensors alone do not tell %s, which may be any of %s: expected a config.json beside it,"
                  + " with the model's architecture")
              .formatted(found.file(), what, values));
    }
    return values.iterator().next();
  }
}
