package dev.fovea.vit.weights;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a folder says beside the model: how pictures are prepared, and what classes are called. It goes along when the
 * model is saved.
 */
public final class Notes {
  private static final int MAX_BYTES = 1 << 24;

  /** No notes. */
  public static final Notes NONE = new Notes(JsonNodeFactory.instance.objectNode(), Map.of(), false);

  /** Where a folder that we write says how pictures are prepared, if no other library has words for it. */
  public static final String PREPARATION = "preprocessing";

  /** As big_vision prepares them. */
  public static final String BIG_VISION = "big_vision";

  private static final int LARGE = 384;
  private static final double SHARE = 0.875;
  private static final double LARGE_SHARE = 0.857;

  private final ObjectNode settings;
  private final Map<String, byte[]> files;

  private final boolean transformers;

  private Notes(ObjectNode settings, Map<String, byte[]> files, boolean transformers) {
    this.settings = settings;
    this.files = files;
    this.transformers = transformers;
  }

  /**
   * Of a model trained here: its classes' names, if it has such, and pictures squashed to its size with values from -1
   * to 1.
   */
  public static Notes of(List<String> classes, VitConfig config) {
    ObjectNode settings = JsonNodeFactory.instance.objectNode();
    if (!classes.isEmpty()) {
      classes.forEach(settings.putArray("label_names")::add);
    }
    ObjectNode pictures = settings.putObject("pretrained_cfg");
    pictures
        .putArray("input_size")
        .add(config.channels())
        .add(config.imageHeight())
        .add(config.imageWidth());
    pictures.put("interpolation", "bilinear").put("crop_pct", 1).put("crop_mode", "squash");
    for (String name : new String[] {"mean", "std"}) {
      pictures.putArray(name).add(0.5).add(0.5).add(0.5);
    }
    return new Notes(settings, Map.of(), false);
  }

  /**
   * These notes for a model of big_vision, whose files say nothing of pictures: how they are prepared, in a word of our
   * own, and as near to it as timm's words come.
   */
  Notes ofBigVision(VitConfig config) {
    if (settings.has("pretrained_cfg") || !files.isEmpty()) {
      return this;
    }
    ObjectNode all = settings.deepCopy();
    all.put(PREPARATION, BIG_VISION);
    ObjectNode pictures = all.putObject("pretrained_cfg");
    boolean classifies = config.classes() > 0;
    boolean large = Math.min(config.imageHeight(), config.imageWidth()) >= LARGE;
    pictures
        .put("interpolation", "bilinear")
        .put("crop_pct", classifies ? large ? LARGE_SHARE : SHARE : 1)
        .put("crop_mode", classifies ? "center" : "squash");
    for (String name : new String[] {"mean", "std"}) {
      pictures.putArray(name).add(0.5).add(0.5).add(0.5);
    }
    return new Notes(all, files, transformers);
  }

  static Notes of(Settings config, Path folder) throws IOException {
    ObjectNode kept = JsonNodeFactory.instance.objectNode();
    for (String name : new String[] {PREPARATION, "pretrained_cfg", "label_names", "label_descriptions", "id2label"}) {
      if (config.has(name)) {
        kept.set(name, config.json().get(name));
      }
    }
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (String name : new String[] {"preprocessor_config.json", "processor_config.json"}) {
      Path file = folder.resolve(name);
      if (Files.isRegularFile(file) && Files.size(file) <= MAX_BYTES) {
        files.put(name, Files.readAllBytes(file));
      }
    }
    return new Notes(kept, files, !files.isEmpty() || config.has("model_type"));
  }

  /** Whether the folder speaks of pictures in transformers' words, or says nothing but is of transformers. */
  public boolean ofTransformers() {
    return transformers;
  }

  /**
   * These notes, saying of pictures also this in their {@code pretrained_cfg}, where they do not say it yet.
   *
   * @param words of timm, and their values
   */
  public Notes withPictures(Map<String, Object> words) {
    ObjectNode all = settings.deepCopy();
    ObjectNode pictures = all.withObject("/pretrained_cfg");
    words.forEach((word, value) -> {
      if (!pictures.has(word)) {
        pictures.putPOJO(word, value);
      }
    });
    return new Notes(all, files, transformers);
  }

  /** Members of {@code config.json}. */
  ObjectNode settings() {
    return settings.deepCopy();
  }

  /** Files beside it. */
  Map<String, byte[]> files() {
    return files;
  }
}
