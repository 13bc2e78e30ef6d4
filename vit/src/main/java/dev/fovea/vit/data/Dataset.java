package dev.fovea.vit.data;

import java.io.IOException;
import java.util.List;

/** Labelled pictures by index. Any number of threads may read at once. */
public interface Dataset {
  /** Names of the classes, in the order of the labels. */
  List<String> classes();

  /** Number of pictures. */
  int size();

  /**
   * One picture, the same each time.
   *
   * @param index in [0, {@link #size})
   * @throws IOException if it cannot be read
   */
  LabelledPicture get(int index) throws IOException;

  /** What a person finds a picture by: its file where it has one, else its number, from 0. */
  default String name(int index) {
    return Integer.toString(index);
  }
}
