package dev.fovea.vit.image;

import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How a model wants its pictures: resized, cut to size from the middle, each sample {@code v} made {@code (v rescale -
 * mean) / deviation}.
 *
 * @param height of what the model takes, in pixels
 * @param width of what the model takes, in pixels
 * @param fit how the picture is brought to {@code fitHeight} and {@code fitWidth} before it is cut
 * @param fitHeight pixels
 * @param fitWidth pixels
 * @param interpolation of resizing
 * @param crop where the middle is when an odd number of pixels goes
 * @param padding the sample around a picture that is smaller than what is cut out, for red, green, blue
 * @param rescale the factor of 8-bit samples, usually 1/255
 * @param mean for red, green, blue
 * @param deviation for red, green, blue
 */
public record Preprocessing(
    int height,
    int width,
    Fit fit,
    int fitHeight,
    int fitWidth,
    Interpolation interpolation,
    Crop crop,
    List<Integer> padding,
    double rescale,
    List<Double> mean,
    List<Double> deviation) {
  /** The mean of ImageNet's samples, for red, green, blue. */
  public static final List<Double> IMAGENET_MEAN = List.of(0.485, 0.456, 0.406);

  /** The standard deviation of ImageNet's samples, for red, green, blue. */
  public static final List<Double> IMAGENET_DEVIATION = List.of(0.229, 0.224, 0.225);

  /** With this as mean and as deviation, samples come to lie in [-1, 1]. */
  public static final List<Double> HALF = List.of(0.5, 0.5, 0.5);

  private static final List<Integer> BLACK = List.of(0, 0, 0);

  /** How a picture is brought to a size. */
  public enum Fit {
    /** Not at all. */
    NONE,
    /** To exactly that size, whatever becomes of its proportions. */
    SQUASH,
    /** Its shorter side to {@code fitHeight}, the longer one rounded down (torchvision's Resize). */
    SHORTER,
    /** Its shorter side to {@code fitHeight}, the longer one to the nearest (big_vision's resize_small). */
    SHORTER_NEAREST,
    /** As small as covers that size (timm's ResizeKeepRatio). */
    COVER,
    /** As large as fits into that size (timm's border mode). */
    CONTAIN
  }

  /** Where the middle is when an odd number of pixels goes. */
  public enum Crop {
    /** One pixel further to the top left. */
    DOWN,
    /** To the nearest even offset (Python's round, as torchvision does it). */
    HALF_EVEN
  }

  public Preprocessing {
    if (height < 1 || width < 1 || fit != Fit.NONE && (fitHeight < 1 || fitWidth < 1)) {
      throw new IllegalArgumentException("height, width, fitHeight, fitWidth: got %d, %d, %d, %d, expected at least 1"
          .formatted(height, width, fitHeight, fitWidth));
    }
    padding = List.copyOf(padding);
    mean = List.copyOf(mean);
    deviation = List.copyOf(deviation);
    if (padding.size() != 3 || mean.size() != 3 || deviation.size() != 3) {
      throw new IllegalArgumentException(
          "padding, mean, deviation: got %s, %s, %s, expected three numbers each".formatted(padding, mean, deviation));
    }
    if (deviation.contains(0.0)) {
      throw new IllegalArgumentException("deviation: got " + deviation + ", expected none to be 0");
    }
  }

  /**
   * What the folder that a model lies in says: {@code preprocessor_config.json} (transformers) or
   * {@code pretrained_cfg} in {@code config.json} (timm), completed by what is usual in that family.
   *
   * @param model the folder or a file in it
   * @param config gives the size that the model takes; sizes of the folder are scaled to it
   * @throws IllegalArgumentException naming the file, if it is no JSON or says what is not known
   */
  public static Preprocessing of(Path model, VitConfig config) throws IOException {
    return ModelFolder.read(model, config);
  }

  /** The whole picture squashed to the size, as SigLIP and ViT in transformers take it. */
  public static Preprocessing squash(
      int height, int width, Interpolation interpolation, List<Double> mean, List<Double> deviation) {
    return new Preprocessing(
        height, width, Fit.SQUASH, height, width, interpolation, Crop.DOWN, BLACK, 1 / 255.0, mean, deviation);
  }

  /**
   * timm's evaluation: resized so that {@code share} of it remains after the middle is cut out.
   *
   * @param share {@code crop_pct}, usually 0.875 to 1
   */
  public static Preprocessing center(
      int height, int width, double share, Interpolation interpolation, List<Double> mean, List<Double> deviation) {
    int fitHeight = (int) Math.floor(height / share);
    int fitWidth = (int) Math.floor(width / share);
    boolean square = fitHeight == fitWidth;
    return new Preprocessing(
        height,
        width,
        square ? Fit.SHORTER : Fit.COVER,
        fitHeight,
        fitWidth,
        // timm does not hand its interpolation on when the size is not square.
        square ? interpolation : Interpolation.BILINEAR,
        Crop.HALF_EVEN,
        BLACK,
        1 / 255.0,
        mean,
        deviation);
  }

  /**
   * The same in the words of timm's {@code pretrained_cfg}, as near as they come: {@code mean} and {@code std} of
   * samples in [0, 1], and how pictures are resized and cut, unless they are not.
   */
  public Map<String, Object> inTimm() {
    Map<String, Object> words = new LinkedHashMap<>();
    if (fit != Fit.NONE) {
      words.put(
          "interpolation",
          switch (interpolation) {
            case BILINEAR_PLAIN -> "bilinear";
            case AREA -> "box";
            default -> interpolation.name().toLowerCase(Locale.ROOT);
          });
      // timm rounds the resized side down.
      double share = (double) height / fitHeight;
      words.put("crop_pct", (int) (height / share) == fitHeight ? share : height / (fitHeight + 0.5));
      words.put(
          "crop_mode",
          switch (fit) {
            case SQUASH -> "squash";
            case CONTAIN -> "border";
            default -> "center";
          });
    }
    words.put("mean", mean.stream().map(value -> value / (255 * rescale)).toList());
    words.put("std", deviation.stream().map(value -> value / (255 * rescale)).toList());
    return words;
  }

  /** With another way to fit. */
  public Preprocessing withFit(Fit fit, int fitHeight, int fitWidth, Interpolation interpolation) {
    return new Preprocessing(
        height, width, fit, fitHeight, fitWidth, interpolation, crop, padding, rescale, mean, deviation);
  }

  /** With another way to cut. */
  public Preprocessing withCrop(Crop crop, List<Integer> padding) {
    return new Preprocessing(
        height, width, fit, fitHeight, fitWidth, interpolation, crop, padding, rescale, mean, deviation);
  }

  /** With another factor of the samples. */
  public Preprocessing withRescale(double rescale) {
    return new Preprocessing(
        height, width, fit, fitHeight, fitWidth, interpolation, crop, padding, rescale, mean, deviation);
  }
}
