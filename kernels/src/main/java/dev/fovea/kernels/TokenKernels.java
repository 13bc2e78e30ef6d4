package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/** Kernels that move, pick and pool tokens. */
public interface TokenKernels {
  /**
   * Assembles a sequence: prefix tokens (class and register tokens), then patches, plus positions.
   *
   * <p>{@code out[b,t] = t < prefixes ? prefix[t] : patches[b, t - prefixes]}, plus {@code positions[t]} if there are
   * {@code prefixes + patchCount} positions, or plus {@code positions[t - prefixes]} for the patches alone if there are
   * {@code patchCount}.
   *
   * @param patches [batch, patchCount, width]
   * @param prefix [prefixes, width]; null if {@code prefixes} is 0
   * @param positions [patchCount or prefixes + patchCount, width]; null for none
   * @param out [batch, prefixes + patchCount, width]
   */
  void assemble(
      int batch,
      int prefixes,
      int patchCount,
      int width,
      Span patches,
      @Nullable Span prefix,
      @Nullable Span positions,
      Span out);

  /**
   * The gradient of {@link #assemble}.
   *
   * @param dOut [batch, prefixes + patchCount, width]
   * @param dPatches like patches; null if not wanted
   * @param dPrefix [prefixes, width]; null if not wanted
   * @param dPositions like positions; null if not wanted
   */
  void assembleGradient(
      int batch,
      int prefixes,
      int patchCount,
      int width,
      Span dOut,
      @Nullable Span dPatches,
      @Nullable Sums dPrefix,
      @Nullable Sums dPositions);

  /**
   * {@code out[i] = x[index[i]]}, rows of {@code width} elements of any dtype.
   *
   * @param index I32 [rows], each a row of x (checked on CPU; undefined on a device otherwise)
   */
  void gather(long rows, int width, Span x, Span index, Span out);

  /**
   * {@code out[index[i]] += x[i]}, in the order of i for equal indices: the gradient of {@link #gather}.
   *
   * @param out F32 or BF16; rows that no index names stay as they are
   */
  void scatterAdd(long rows, int width, Span x, Span index, Span out);

  /**
   * {@code out[b] = mean of x[b,t] over t in [first, lengths[b])}: global average pooling.
   *
   * @param x [batch, tokens, width]
   * @param first tokens to leave out at the beginning (class and register tokens)
   * @param lengths I32 [batch], each in (first, tokens]; or null for {@code tokens}
   * @param out [batch, width]
   */
  void meanPool(int batch, int tokens, int width, int first, Span x, @Nullable Span lengths, Span out);

  /** The gradient of {@link #meanPool}: dx is [batch, tokens, width], zero for tokens left out. */
  void meanPoolGradient(int batch, int tokens, int width, int first, Span dOut, @Nullable Span lengths, Span dx);

  /** These kernels behind the checks that every device needs. */
  static TokenKernels checked(TokenKernels kernels) {
    return new CheckedToken(kernels);
  }
}
