package dev.fovea.kernels.cpu;

/**
 * A kernel launch: blocks 0 to n - 1, each independent of the others, as in a CUDA grid. What a block does must depend
 * on its index alone, never on the thread that runs it.
 */
interface Grid {
  /** Runs one block with the scratch memory of the worker it landed on. */
  void block(int index, Scratch scratch);
}
