package dev.fovea.vit.scaling;

/**
 * A power law of compute that saturates at both ends, {@code E = a (C + d)^-b + c} (Zhai et al., Scaling Vision
 * Transformers, section 2.2).
 *
 * @param a scale
 * @param b exponent
 * @param c error that no compute removes
 * @param d compute that stands for what a model without training gets right
 */
public record PowerLaw(double a, double b, double c, double d) {
  /** The paper's fit of errors on ImageNet after fine-tuning, compute in TPUv3 core-days. */
  public static final PowerLaw FINE_TUNED = new PowerLaw(0.26, 0.35, 0.09, 0.01);

  /** The paper's fit of errors on ImageNet of the 10-shot probe, compute in TPUv3 core-days. */
  public static final PowerLaw TEN_SHOT = new PowerLaw(0.63, 0.32, 0.12, 0.52);

  /** The error at a compute. */
  public double at(double compute) {
    return a * Math.pow(compute + d, -b) + c;
  }

  /** The compute that an error takes: infinite for {@code c} and less, 0 if none is needed. */
  public double computeFor(double error) {
    return error <= c ? Double.POSITIVE_INFINITY : Math.max(0, Math.pow((error - c) / a, -1 / b) - d);
  }
}
