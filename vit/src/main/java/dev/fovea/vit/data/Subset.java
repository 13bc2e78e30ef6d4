package dev.fovea.vit.data;

import java.io.IOException;
import java.util.List;

/** Some pictures of a data set. */
final class Subset implements Labelled {
  private final Labelled whole;
  private final int[] indices;

  Subset(Labelled whole, int[] indices) {
    this.whole = whole;
    this.indices = indices.clone();
  }

  @Override
  public List<String> classes() {
    return whole.classes();
  }

  @Override
  public String name(int index) {
    return whole.name(indices[index]);
  }

  @Override
  public int size() {
    return indices.length;
  }

  @Override
  public int label(int index) {
    return whole.label(indices[index]);
  }

  @Override
  public LabelledPicture get(int index) throws IOException {
    return whole.get(indices[index]);
  }
}
