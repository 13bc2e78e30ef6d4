package dev.fovea.vit.model;

import dev.fovea.tensor.Tensor;

/** Which patches of each picture of a batch are hidden from a model. */
public final class PatchMask {
  private final int pictures;
  private final int patches;
  private final int[] hidden;
  private final int[] visible;

  /** Of each patch: 0 if it is hidden, else 1 + its place in {@link #visible}. */
  private final int[] places;

  /**
   * A mask.
   *
   * @param patches of a picture
   * @param hiddenPatches of each picture, counted row by row in ascending order: as many in each, at least one, and not
   *     all
   */
  public PatchMask(int patches, int[]... hiddenPatches) {
    this.patches = patches;
    pictures = hiddenPatches.length;
    if (pictures == 0) {
      throw new IllegalArgumentException("hidden: got no picture, expected at least one");
    }
    int each = hiddenPatches[0].length;
    if (each < 1 || each >= patches) {
      throw new IllegalArgumentException(
          "hidden: got %d of %d patches, expected some but not all".formatted(each, patches));
    }
    hidden = new int[pictures * each];
    visible = new int[pictures * (patches - each)];
    places = new int[pictures * patches];
    int seen = 0;
    for (int b = 0; b < pictures; b++) {
      check(b, hiddenPatches[b], each);
      int next = 0;
      for (int i = 0; i < patches; i++) {
        if (next < each && hiddenPatches[b][next] == i) {
          hidden[b * each + next++] = b * patches + i;
        } else {
          visible[seen++] = b * patches + i;
          places[b * patches + i] = seen;
        }
      }
    }
  }

  private void check(int picture, int[] hiddenPatches, int each) {
    boolean fits = hiddenPatches.length == each && hiddenPatches[0] >= 0 && hiddenPatches[each - 1] < patches;
    for (int i = 1; fits && i < each; i++) {
      fits = hiddenPatches[i - 1] < hiddenPatches[i];
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "hidden: got other patches of picture %d, expected %d in ascending order below %d"
              .formatted(picture, each, patches));
    }
  }

  /** Pictures of the batch. */
  public int pictures() {
    return pictures;
  }

  /** Patches of a picture. */
  public int patches() {
    return patches;
  }

  /** Hidden patches of a picture. */
  public int hiddenCount() {
    return hidden.length / pictures;
  }

  /** The hidden patches among all of the batch, in ascending order. */
  public int[] hidden() {
    return hidden.clone();
  }

  /** The others, in ascending order. */
  public int[] visible() {
    return visible.clone();
  }

  /** Rows of visible patches among [pictures, patches], in the current scope. */
  Tensor visibleRows() {
    return Tensor.of(visible, visible.length);
  }

  /** Rows of hidden patches among [pictures, prefixes + patches], in the current scope. */
  Tensor hiddenRows(int prefixes) {
    int[] rows = new int[hidden.length];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = hidden[i] + (hidden[i] / patches + 1) * prefixes;
    }
    return Tensor.of(rows, rows.length);
  }

  /** For each patch the row to take from a table of one mask token and then the visible patches. */
  Tensor places() {
    return Tensor.of(places, places.length);
  }

  /** For each visible patch its place in its own picture. */
  Tensor visiblePositions(int prefixes) {
    int[] rows = new int[visible.length];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = visible[i] % patches + prefixes;
    }
    return Tensor.of(rows, rows.length);
  }
}
