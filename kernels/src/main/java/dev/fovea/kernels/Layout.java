package dev.fovea.kernels;

/** Which operands of {@code C[m,n] = op(A)[m,k] op(B)[k,n]} are stored transposed. All row-major. */
public enum Layout {
  /** A is [m,k], B is [k,n]: the data gradient of a linear layer. */
  NN,
  /** A is [m,k], B is [n,k]: a linear layer with a weight of [out,in]. */
  NT,
  /** A is [k,m], B is [k,n]: the weight gradient of a linear layer. */
  TN
}
