package dev.fovea.vit.train;

import dev.fovea.vit.data.Dataset;
import dev.fovea.vit.data.LabelledPicture;
import java.io.IOException;
import java.util.List;

/**
 * Some pictures of a set, about evenly from all of it, since those of a class may lie side by side; where there is room
 * not at even distances, since classes may also take turns.
 *
 * @param all the set
 * @param size number of pictures, at most all
 */
record Spread(Dataset all, int size) implements Dataset {
  /** At most so many. */
  static Spread of(Dataset all, int most) {
    return new Spread(all, Math.min(most, all.size()));
  }

  @Override
  public List<String> classes() {
    return all.classes();
  }

  @Override
  public LabelledPicture get(int index) throws IOException {
    int further = (long) size * size <= all.size() ? index : 0;
    return all.get((int) ((long) index * all.size() / size + further));
  }
}
