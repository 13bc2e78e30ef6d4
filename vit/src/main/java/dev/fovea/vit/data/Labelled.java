package dev.fovea.vit.data;

/** A data set whose labels are known before its pictures are read. */
interface Labelled extends Dataset {
  /** The label of a picture; -1 if it has none that counts. */
  int label(int index);
}
