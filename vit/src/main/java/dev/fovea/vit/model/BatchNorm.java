package dev.fovea.vit.model;

/** Batch norms with running statistics are a scale and a shift per channel: they go into the layer before them. */
public final class BatchNorm {
  private BatchNorm() {}

  /**
   * Multiplies a batch norm into the layer before it, in place: {@code (W x + b - mean) / sqrt(variance + eps) weight +
   * bias}. Every array but the first has one value per channel.
   *
   * @param layerWeight W, [channels, inputs] row by row
   * @param layerBias b
   * @param weight the norm's scale
   * @param bias the norm's shift
   * @param mean running mean
   * @param variance running variance
   * @param eps added to the variance
   * @throws IllegalArgumentException if their lengths do not fit
   */
  public static void fold(
      float[] layerWeight,
      float[] layerBias,
      float[] weight,
      float[] bias,
      float[] mean,
      float[] variance,
      double eps) {
    int channels = weight.length;
    for (float[] one : new float[][] {layerBias, bias, mean, variance}) {
      if (one.length != channels) {
        throw new IllegalArgumentException(
            "batch norm: got %d channels beside %d, expected as many".formatted(one.length, channels));
      }
    }
    if (channels == 0 || layerWeight.length % channels != 0) {
      throw new IllegalArgumentException(
          "layerWeight: got %d values, expected a multiple of %d channels".formatted(layerWeight.length, channels));
    }
    int inputs = layerWeight.length / channels;
    for (int c = 0; c < channels; c++) {
      double scale = weight[c] / Math.sqrt(variance[c] + eps);
      for (int i = 0; i < inputs; i++) {
        layerWeight[c * inputs + i] = (float) (layerWeight[c * inputs + i] * scale);
      }
      layerBias[c] = (float) ((layerBias[c] - mean[c]) * scale + bias[c]);
    }
  }
}
