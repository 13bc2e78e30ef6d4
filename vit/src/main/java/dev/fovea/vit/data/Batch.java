package dev.fovea.vit.data;

import org.jspecify.annotations.Nullable;

/**
 * Pictures that are computed together.
 *
 * @param pixels [batch, channels, height, width] in -1 to 1
 * @param labels [batch]; -1 where a picture could not be read: its pixels are 0, and losses leave it out
 * @param targets [batch, classes] if pictures were mixed, else null
 */
@SuppressWarnings("ArrayRecordComponent") // Carries the pixels; nobody compares batches.
public record Batch(float[] pixels, int[] labels, float @Nullable [] targets) {
  /** Number of pictures. */
  public int size() {
    return labels.length;
  }
}
