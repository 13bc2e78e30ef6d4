package dev.fovea.vit.weights;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.vit.model.ParameterShapes;
import dev.fovea.vit.model.Resampling;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * An open model of a file or folder, recognised by its content: whose names its tensors have, which configuration they
 * and {@code config.json} mean, and how they make up the parameters. No weights are read before {@link #load}.
 */
public final class Checkpoint implements AutoCloseable {
  private static final Map<String, Resampling> RESAMPLINGS =
      Arrays.stream(Resampling.values()).collect(Collectors.toMap(Enum::name, way -> way));

  private final ModelFiles files;
  private final TensorFile tensors;
  private final Family family;
  private final VitConfig config;
  private final WeightMap weights;
  private final Notes notes;

  private Checkpoint(
      ModelFiles files, TensorFile tensors, Notes notes, Family family, VitConfig config, WeightMap weights) {
    this.files = files;
    this.tensors = tensors;
    this.notes = notes;
    this.family = family;
    this.config = config;
    this.weights = weights;
  }

  /**
   * Opens a model folder as published on Hugging Face, a repository in its cache, or a file of weights (safetensors,
   * the index of several, npz) with or without a {@code config.json} beside it.
   *
   * @throws java.nio.file.NoSuchFileException if there is nothing, or no weights are in the folder
   * @throws dev.fovea.tensor.io.MalformedFileException if a file is damaged
   * @throws IllegalArgumentException if the names are of no known family, or {@code config.json} is missing where it is
   *     needed or says something that is not supported; the message names the file
   */
  public static Checkpoint open(Path path) throws IOException {
    ModelFiles files = ModelFiles.find(path);
    Settings settings = files.config() == null ? Settings.none() : Settings.read(files.config());
    TensorFile tensors = ModelFiles.open(files.weights());
    try {
      return recognise(files, settings, new Found(tensors));
    } catch (Throwable e) {
      tensors.close();
      throw e;
    }
  }

  /** What a family makes of a file: a configuration, where its tensors belong, and which are none of the model's. */
  private record Layout(VitConfig config, List<Piece> pieces, Predicate<String> ignored) {}

  private static Checkpoint recognise(ModelFiles files, Settings settings, Found found) throws IOException {
    Family family = settings.has("fovea") && !settings.has("architecture") ? Family.FOVEA : Family.of(found.names());
    if (family == null) {
      throw unknown(files, settings, found.names());
    }
    Layout layout;
    try {
      layout = switch (family) {
        case FOVEA -> fovea(settings);
        case TIMM -> timm(files, settings, found);
        case TRANSFORMERS -> transformers(settings, found);
        case SIGLIP -> siglip(settings, found);
        case BIG_VISION -> bigVision(settings, found);
      };
    } catch (IllegalArgumentException e) {
      // The file that a configuration's faults are most likely in.
      String file = String.valueOf(files.config() == null ? files.weights() : files.config());
      String message = String.valueOf(e.getMessage());
      boolean named = message.contains(file) || message.contains(files.weights().toString());
      throw named ? e : new IllegalArgumentException(file + ": " + message, e);
    }
    Notes notes = Notes.of(settings, files.weights().resolveSibling(""));
    return new Checkpoint(
        files,
        found.file(),
        family == Family.BIG_VISION ? notes.ofBigVision(layout.config) : notes,
        family,
        layout.config,
        new WeightMap(layout.config, layout.pieces, layout.ignored));
  }

  private static IllegalArgumentException unknown(ModelFiles files, Settings settings, Names names) {
    boolean clip = names.starts("visual.");
    String kind = clip ? "open_clip's" : settings.text("model_type", settings.text("architecture", ""));
    String rather = clip ? " (the vision tower has a folder of its own among timm's models on Hugging Face)" : "";
    return new IllegalArgumentException(
        "%s: got tensors of no known kind of model%s (%s), expected names of timm, transformers or big_vision%s"
            .formatted(
                files.weights(),
                kind.isEmpty() ? "" : ", " + kind,
                String.join(", ", names.all().stream().limit(3).toList()),
                rather));
  }

  private static Layout fovea(Settings settings) {
    if (!settings.has("fovea")) {
      throw new IllegalArgumentException(
          "got Fovea's own tensors alone, expected the config.json that was saved with them");
    }
    VitConfig config =
        Limits.check(VitConfig.fromJson(settings.section("fovea").json().toString()));
    Pieces pieces = new Pieces(config);
    ParameterShapes.of(config).keySet().forEach(name -> pieces.same(name, name));
    return new Layout(config, pieces.list(), name -> false);
  }

  private static Layout timm(ModelFiles files, Settings settings, Found found) throws IOException {
    VitConfig config = settings.has("architecture")
        ? TimmConfig.read(settings)
        : TimmShapes.of(found, files.weights().toAbsolutePath().toString());
    if (found.names().has("blocks.0.out_proj.weight")) {
      // One output matrix has one bias, that of the MLP.
      config = config.toBuilder().projBias(false).build();
    }
    config = config.toBuilder()
        .resampling(settings.section("fovea").choice("resampling", config.resampling(), RESAMPLINGS))
        .build();
    return new Layout(config, TimmNames.of(Limits.check(config), found.names()), name -> false);
  }

  private static Layout transformers(Settings settings, Found found) throws IOException {
    boolean meant = settings.has("model_type") || settings.has("hidden_size");
    VitConfig config = TransformersConfig.trunk(meant ? settings : Settings.none(), found);
    String prefix = TransformersNames.prefix(found.names());
    String masked = prefix + "embeddings.mask_token";
    String registers = prefix + TransformersNames.REGISTERS;
    boolean none = found.empty(registers);
    return new Layout(
        config,
        TransformersNames.of(Limits.check(config), found.names()),
        name -> name.equals(masked) || none && name.equals(registers));
  }

  private static Layout siglip(Settings settings, Found found) throws IOException {
    boolean meant = settings.has("model_type") || settings.has("hidden_size") || settings.has("vision_config");
    VitConfig config = TransformersConfig.siglip(meant ? settings : Settings.none(), found);
    // A classifier takes the mean of the patches, and leaves the pooling head unused.
    String unused = SiglipNames.prefix(found.names()) + "head.";
    return new Layout(
        config,
        SiglipNames.of(Limits.check(config), found.names()),
        name -> SiglipNames.ignores(name) || config.classes() > 0 && name.startsWith(unused));
  }

  private static Layout bigVision(Settings settings, Found found) throws IOException {
    FlaxNames.Style style = FlaxNames.Style.of(found);
    VitConfig config = Limits.check(BigVisionConfig.of(settings, found, style));
    return new Layout(config, FlaxNames.of(config, style), name -> FlaxNames.ignores(style, name));
  }

  /** Whose names the tensors have. */
  public Family family() {
    return family;
  }

  /** The model's configuration. */
  public VitConfig config() {
    return config;
  }

  /** What the folder says beside the model. */
  public Notes notes() {
    return notes;
  }

  /** How the tensors make up the parameters. */
  public WeightMap weights() {
    return weights;
  }

  /** The file of weights, or the index of several. */
  public Path file() {
    return files.weights();
  }

  /** The {@code config.json} beside it. */
  public Optional<Path> configFile() {
    return Optional.ofNullable(files.config());
  }

  /**
   * Reads the parameters into the current scope.
   *
   * @param dtype what they are converted to: F32 or BF16
   * @throws IllegalArgumentException listing everything that is missing, left over, of another shape or not of numbers
   */
  public Map<String, Tensor> load(DType dtype) throws IOException {
    return weights.load(tensors, dtype);
  }

  @Override
  public void close() {
    tensors.close();
  }
}
