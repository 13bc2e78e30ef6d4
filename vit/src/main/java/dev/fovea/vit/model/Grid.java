package dev.fovea.vit.model;

/** A picture's patches as rows and columns. */
public record Grid(int rows, int columns) {
  public Grid {
    if (rows < 1 || columns < 1) {
      throw new IllegalArgumentException("grid: got %d x %d, expected at least 1 x 1".formatted(rows, columns));
    }
  }

  /** Patches of the grid. */
  public int patches() {
    return rows * columns;
  }

  @Override
  public String toString() {
    return rows + " x " + columns;
  }
}
