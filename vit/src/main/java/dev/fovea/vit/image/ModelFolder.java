package dev.fovea.vit.image;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.vit.image.Preprocessing.Fit;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.weights.Notes;
import dev.fovea.vit.weights.TimmConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a model's folder says about preprocessing, in the words of timm, transformers or big_vision. */
final class ModelFolder {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final VitConfig config;

  // What the model takes: the folder's size counts where the model takes any.
  private int height;
  private int width;

  private ModelFolder(VitConfig config) {
    this.config = config;
    height = config.imageHeight();
    width = config.imageWidth();
  }

  private void resize(int wantedHeight, int wantedWidth) {
    if (config.dynamicSize() && wantedHeight >= config.patchHeight() && wantedWidth >= config.patchWidth()) {
      height = wantedHeight;
      width = wantedWidth;
    }
  }

  /** See {@link Preprocessing#of}. */
  static Preprocessing read(Path model, VitConfig config) throws IOException {
    Path at = model.toAbsolutePath();
    Path folder = Files.isDirectory(at) ? at : at.resolveSibling("");
    ModelFolder reader = new ModelFolder(config);
    Path file = folder.resolve("preprocessor_config.json");
    JsonNode processor = json(file);
    if (processor.isMissingNode()) {
      file = folder.resolve("processor_config.json");
      processor = json(file).path("image_processor");
    }
    JsonNode description = json(folder.resolve("config.json"));
    if (description.path(Notes.PREPARATION).asText().equals(Notes.BIG_VISION)) {
      return reader.bigVision();
    }
    try {
      if (!processor.isMissingNode()) {
        return reader.transformers((ObjectNode) processor);
      }
      file = folder.resolve("config.json");
      if (description.has("architecture") || description.has("pretrained_cfg")) {
        return reader.timm(description);
      }
      if (description.has("model_type")) {
        return reader.transformers(JSON.createObjectNode()
            .put("image_processor_type", description.get("model_type").asText()));
      }
    } catch (IllegalArgumentException | ClassCastException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
    boolean bigVision = description.path("model").asText().startsWith("big_vision")
        || String.valueOf(model.getFileName()).endsWith(".npz")
        || Files.exists(folder.resolve("checkpoint.npz"));
    return bigVision ? reader.bigVision() : reader.timm(JSON.createObjectNode());
  }

  private static JsonNode json(Path file) throws IOException {
    if (!Files.exists(file)) {
      return MissingNode.getInstance();
    }
    try {
      return JSON.readTree(file.toFile());
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(file + ": " + e.getOriginalMessage(), e);
    }
  }

  /** timm: its table's values for the architecture, changed by what {@code pretrained_cfg} says. */
  private Preprocessing timm(JsonNode description) throws IOException {
    ObjectNode cfg = table(TimmConfig.untagged(description.path("architecture").asText()));
    for (JsonNode changes : new JsonNode[] {description, description.path("pretrained_cfg")}) {
      for (String name : new String[] {"interpolation", "crop_pct", "crop_mode", "mean", "std"}) {
        if (changes.hasNonNull(name)) {
          cfg.set(name, changes.get(name));
        }
      }
    }
    JsonNode nested = description.path("pretrained_cfg");
    JsonNode input = (nested.isObject() ? nested : description).path("input_size");
    resize(input.path(1).asInt(), input.path(2).asInt());
    List<Double> mean = numbers(cfg, "mean", Preprocessing.HALF);
    List<Double> deviation = numbers(cfg, "std", Preprocessing.HALF);
    String named = cfg.path("interpolation").asText("bicubic");
    Interpolation interpolation = named.equals("random") ? Interpolation.BILINEAR : interpolation(named);
    double share = cfg.path("crop_pct").asDouble(0.9);
    if (!(share > 0)) {
      throw new IllegalArgumentException("crop_pct: got " + share + ", expected more than 0");
    }
    Preprocessing center = Preprocessing.center(height, width, share, interpolation, mean, deviation);
    String mode = cfg.path("crop_mode").asText("center");
    return switch (mode) {
      case "center" -> center;
      case "squash" -> center.withFit(Fit.SQUASH, center.fitHeight(), center.fitWidth(), interpolation);
      case "border" ->
        center
            .withFit(Fit.CONTAIN, center.fitHeight(), center.fitWidth(), interpolation)
            .withCrop(
                center.crop(), mean.stream().map(m -> (int) Math.rint(255 * m)).toList());
      default -> throw new IllegalArgumentException("crop_mode: got " + mode + ", expected center, squash or border");
    };
  }

  private static ObjectNode table(String architecture) throws IOException {
    try (InputStream in = VitConfig.class.getResourceAsStream("/dev/fovea/vit/weights/timm.json")) {
      JsonNode known = JSON.readTree(in).path(architecture).path("preprocessing");
      return known.isObject() ? known.deepCopy() : JSON.createObjectNode();
    }
  }

  /** transformers: what the image processor states, and else the defaults of its class. */
  private Preprocessing transformers(ObjectNode p) {
    String type = (p.path("image_processor_type").asText()
            + p.path("feature_extractor_type").asText())
        .toLowerCase(Locale.ROOT);
    boolean byShorterSide = type.contains("clip") || type.contains("bit") || type.contains("dino");
    boolean imagenet = byShorterSide && !type.contains("clip");
    boolean cropped = p.path("do_center_crop").asBoolean(byShorterSide || type.contains("deit"));
    JsonNode size = p.path(cropped ? "crop_size" : "size");
    resize(size.path("height").asInt(size.asInt()), size.path("width").asInt(size.asInt()));

    Interpolation interpolation = p.hasNonNull("resample")
        ? resample(p.get("resample").asInt())
        : byShorterSide || type.contains("siglip") || type.contains("deit")
            ? Interpolation.BICUBIC
            : Interpolation.BILINEAR;
    boolean normalized = p.path("do_normalize").asBoolean(true);
    List<Double> mean = numbers(p, "image_mean", imagenet ? Preprocessing.IMAGENET_MEAN : Preprocessing.HALF);
    List<Double> deviation = numbers(p, "image_std", imagenet ? Preprocessing.IMAGENET_DEVIATION : Preprocessing.HALF);
    Preprocessing how = Preprocessing.squash(
        height,
        width,
        interpolation,
        normalized ? mean : List.of(0.0, 0.0, 0.0),
        normalized ? deviation : List.of(1.0, 1.0, 1.0));
    if (!p.path("do_rescale").asBoolean(true)) {
      how = how.withRescale(1);
    } else if (p.hasNonNull("rescale_factor")) {
      how = how.withRescale(p.get("rescale_factor").asDouble());
    }
    if (!p.path("do_resize").asBoolean(true)) {
      return how.withFit(Fit.NONE, 0, 0, interpolation);
    }
    return fit(p, how, byShorterSide, cropped);
  }

  /** Sizes, in proportion to what remains after cropping, since the model's own size may be another. */
  private Preprocessing fit(JsonNode p, Preprocessing how, boolean byShorterSide, boolean cropped) {
    double usual = cropped ? 256.0 / 224 : 1;
    JsonNode size = p.path("size");
    JsonNode crop = p.path("crop_size");
    double cropHeight = crop.isNumber() ? crop.asDouble() : crop.path("height").asDouble(height);
    double cropWidth = crop.isNumber() ? crop.asDouble() : crop.path("width").asDouble(width);
    double shorter = size.path("shortest_edge").asDouble(size.isNumber() && byShorterSide ? size.asDouble() : 0);
    if (shorter == 0 && size.isMissingNode() && byShorterSide) {
      shorter = cropHeight * usual;
    }
    if (shorter > 0) {
      int fit = (int) Math.round(shorter * (cropped ? height / cropHeight : 1));
      return how.withFit(Fit.SHORTER, fit, fit, how.interpolation());
    }
    if (!cropped) {
      return how;
    }
    double fitHeight = size.isNumber() ? size.asDouble() : size.path("height").asDouble(cropHeight * usual);
    double fitWidth = size.isNumber() ? size.asDouble() : size.path("width").asDouble(cropWidth * usual);
    return how.withFit(
        Fit.SQUASH,
        (int) Math.round(fitHeight * height / cropHeight),
        (int) Math.round(fitWidth * width / cropWidth),
        how.interpolation());
  }

  /**
   * big_vision: classifiers see the middle of a picture whose shorter side was brought to 256 of 224 pixels (448 of
   * 384) by area; the towers of SigLIP see all of it, squashed.
   */
  private Preprocessing bigVision() {
    Preprocessing squashed =
        Preprocessing.squash(height, width, Interpolation.BILINEAR_PLAIN, Preprocessing.HALF, Preprocessing.HALF);
    if (config.classes() == 0) {
      return squashed;
    }
    double size = Math.min(height, width);
    int fit = (int) Math.round(size >= 384 ? size * 448 / 384 : size * 256 / 224);
    return squashed.withFit(Fit.SHORTER_NEAREST, fit, fit, Interpolation.AREA);
  }

  private static Interpolation interpolation(String name) {
    return switch (name) {
      case "nearest" -> Interpolation.NEAREST;
      case "box" -> Interpolation.BOX;
      case "bilinear" -> Interpolation.BILINEAR;
      case "hamming" -> Interpolation.HAMMING;
      case "bicubic" -> Interpolation.BICUBIC;
      case "lanczos" -> Interpolation.LANCZOS;
      default ->
        throw new IllegalArgumentException(
            "interpolation: got " + name + ", expected nearest, box, bilinear, hamming, bicubic or lanczos");
    };
  }

  /** By Pillow's numbers. */
  private static Interpolation resample(int number) {
    return switch (number) {
      case 0 -> Interpolation.NEAREST;
      case 1 -> Interpolation.LANCZOS;
      case 2 -> Interpolation.BILINEAR;
      case 3 -> Interpolation.BICUBIC;
      case 4 -> Interpolation.BOX;
      case 5 -> Interpolation.HAMMING;
      default -> throw new IllegalArgumentException("resample: got " + number + ", expected 0 to 5");
    };
  }

  private static List<Double> numbers(JsonNode from, String name, List<Double> otherwise) {
    @Nullable JsonNode array = from.get(name);
    if (array == null || array.isNull()) {
      return otherwise;
    }
    List<Double> numbers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      JsonNode number = array.isArray() ? array.path(i) : array;
      if (!number.isNumber()) {
        throw new IllegalArgumentException(name + ": got " + array + ", expected three numbers");
      }
      numbers.add(number.asDouble());
    }
    return numbers;
  }
}
