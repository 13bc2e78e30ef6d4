package dev.fovea.tensor;

/**
 * What a {@link Tape} keeps for the backward pass and what it computes again. Gradients are the same, bit for bit,
 * under every policy.
 *
 * <p>Saved elements per token of a standard block of width d and MLP width m (statistics aside):
 *
 * <table>
 * <caption>Memory of a block</caption>
 * <tr><th>policy<th>saved<th>extra work
 * <tr><td>NONE<td>8 d + 2 m<td>none
 * <tr><td>SELECTIVE<td>6 d + m<td>norms and activations, about 1 %
 * <tr><td>BLOCK<td>d, and one block as under NONE while it is being replayed<td>a forward pass but for each block's last
 * product
 * <tr><td>OFFLOAD<td>as BLOCK, of which on a GPU all but two blocks' inputs are in the host's memory<td>as BLOCK, and
 * copies beside it
 * </table>
 */
public enum Recompute {
  /** Keep everything that a backward pass reads. */
  NONE,
  /** Rebuild the outputs of norms and activations from their inputs, which are kept anyway. */
  SELECTIVE,
  /** Keep the inputs of each {@link Tape#block} and replay the block when its gradient is due. */
  BLOCK,
  /**
   * As {@link #BLOCK}, with the inputs put away in pinned memory of the host until they are due, copied while the GPU
   * computes. On the CPU, whose memory they are in anyhow, the same as {@link #BLOCK}.
   */
  OFFLOAD;

  /** Whether blocks are replayed. */
  public boolean replays() {
    return this == BLOCK || this == OFFLOAD;
  }
}
