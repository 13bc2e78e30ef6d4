package dev.fovea.vit.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The models of the papers by name, such as {@code B/16}, {@code ViT-B/16}, {@code so400m/14} or {@code 22b/14}: a
 * trunk and its patch size. As in the papers they have a MAP head, no class token and no classifier, and see 224
 * pixels; {@link VitConfig#toBuilder} changes that.
 */
public final class Presets {
  private static final Pattern NAME = Pattern.compile("(?:[Vv][Ii][Tt]-)?([^/]+?)(?:/(\\d{1,4}))?");

  private static final List<Trunk> TRUNKS = List.of(
      new Trunk("mu", 32, 1, 128, 2, List.of(16)),
      new Trunk("Ti", 192, 12, 768, 3, List.of(16)),
      new Trunk("s", 256, 6, 1024, 8, List.of(16, 28)),
      new Trunk("S", 384, 12, 1536, 6, List.of(16, 32)),
      new Trunk("M", 512, 12, 2048, 8, List.of(16)),
      new Trunk("B", 768, 12, 3072, 12, List.of(16, 28, 32)),
      new Trunk("L", 1024, 24, 4096, 16, List.of(16)),
      new Trunk("So150m", 880, 18, 2320, 16, List.of(14)),
      new Trunk("So400m", 1152, 27, 4304, 16, List.of(14)),
      new Trunk("H", 1280, 32, 5120, 16, List.of(14)),
      new Trunk("g", 1408, 40, 6144, 16, List.of(14)),
      new Trunk("g-opt", 1536, 40, 6144, 16, List.of(16)),
      new Trunk("G", 1664, 48, 8192, 16, List.of(14)),
      new Trunk("G-opt", 1536, 48, 8192, 16, List.of(16)),
      new Trunk("e", 1792, 56, 15360, 16, List.of(14)),
      new Trunk("22B", 6144, 48, 24576, 48, List.of(14)));

  /** A trunk and the patch sizes it is known with, the usual one first. */
  private record Trunk(String name, int width, int depth, int mlp, int heads, List<Integer> patches) {}

  private Presets() {}

  /** All presets with their patch sizes, in order of size. */
  public static List<String> names() {
    List<String> names = new ArrayList<>();
    for (Trunk trunk : TRUNKS) {
      for (int patch : trunk.patches) {
        names.add(trunk.name + "/" + patch);
      }
    }
    return names;
  }

  /** Whether {@link #of} knows this name. */
  public static boolean knows(String name) {
    Matcher match = NAME.matcher(name);
    return match.matches() && !find(match.group(1)).isEmpty();
  }

  /**
   * The model of this name.
   *
   * @param name with or without {@code ViT-}, and with a patch size of any number or without, for the usual one. Case
   *     matters where papers use it: s and S, g and G are different models
   * @throws IllegalArgumentException if there is none
   */
  public static VitConfig of(String name) {
    Matcher match = NAME.matcher(name);
    List<Trunk> found = match.matches() ? find(match.group(1)) : List.of();
    if (found.isEmpty()) {
      throw new IllegalArgumentException("preset: got %s, expected one of %s".formatted(name, names()));
    }
    Trunk trunk = found.getFirst();
    int patch = match.group(2) == null ? trunk.patches.getFirst() : Integer.parseInt(match.group(2));
    VitConfigBuilder builder = VitConfig.builder().patch(patch).shape(trunk.width, trunk.depth, trunk.mlp, trunk.heads);
    return trunk.name.equals("22B") ? vit22b(builder).build() : builder.build();
  }

  /** Parallel blocks without biases on queries, keys, values and norms, with normalised queries and keys. */
  private static VitConfigBuilder vit22b(VitConfigBuilder builder) {
    VitConfig.Norm norm = VitConfig.Norm.rms(1e-6f);
    return builder
        .block(VitConfig.Block.PARALLEL)
        .qkvBias(false)
        .qkNorm(new VitConfig.Norm(true, false, 1e-6f))
        .norm(norm)
        .finalNorm(norm);
  }

  /** The trunk of this name; if no case fits, those that differ in case only. */
  private static List<Trunk> find(String name) {
    List<Trunk> exact = TRUNKS.stream().filter(trunk -> trunk.name.equals(name)).toList();
    String lower = name.toLowerCase(Locale.ROOT);
    return !exact.isEmpty()
        ? exact
        : TRUNKS.stream()
            .filter(trunk -> trunk.name.toLowerCase(Locale.ROOT).equals(lower))
            .toList();
  }
}
