package dev.fovea.vit.scaling;

/**
 * Error by one dimension and compute, {@code f(x, t) = alpha x^-a + (beta x^b + xi) t^-c + eps} (Getting ViT in Shape,
 * equation 2): too small a model cannot learn, too large a one does not get to see enough.
 *
 * @param alpha scale of what size takes away
 * @param a exponent of what size takes away
 * @param beta scale of what size costs
 * @param b exponent of what size costs
 * @param xi scale of what compute alone takes away
 * @param c exponent of compute
 * @param eps error that stays
 */
public record ShapeLaw(double alpha, double a, double beta, double b, double xi, double c, double eps) {
  /** The error of a size at a compute. */
  public double at(double size, double compute) {
    return alpha * Math.pow(size, -a) + (beta * Math.pow(size, b) + xi) * Math.pow(compute, -c) + eps;
  }

  /** The size of least error at a compute (equation 4). */
  public double optimum(double compute) {
    return Math.pow(alpha * a * Math.pow(compute, c) / (beta * b), 1 / (a + b));
  }

  /** The exponent s with which the optimum grows with compute. */
  public double exponent() {
    return c / (a + b);
  }
}
