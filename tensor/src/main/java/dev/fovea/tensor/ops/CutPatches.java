package dev.fovea.tensor.ops;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.ImageKernels.Patches;
import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Pictures or feature maps become rows of patches. */
final class CutPatches extends Operation {
  private final Patches patches;
  private final Input pictures;
  private final @Nullable Input scale;
  private final @Nullable Input shift;
  private final Output y;

  CutPatches(Patches patches, Tensor value, @Nullable Tensor scaleValue, @Nullable Tensor shiftValue, DType dtype) {
    super(value);
    this.patches = patches;
    Dims.vector("pictures", value, (long) patches.batch() * patches.channels() * patches.height() * patches.width());
    pictures = input(value);
    scale = scaleValue == null ? null : input(Dims.vector("scale", scaleValue, patches.channels()));
    shift = shiftValue == null ? null : input(Dims.vector("shift", shiftValue, patches.channels()));
    if (pictures.wantsGradient() && scale != null) {
      throw new IllegalArgumentException("scale: got one for pictures that want a gradient, expected none");
    }
    y = output(Shape.of(patches.batch(), (long) patches.rows() * patches.columns(), patches.size()), dtype);
  }

  Tensor apply() {
    run();
    return y.result();
  }

  @Override
  protected void forward() {
    kernels().image().patchify(patches, pictures.span(), Dims.span(scale), Dims.span(shift), y.span());
  }

  @Override
  protected void backward() {
    if (pictures.wantsGradient()) {
      Tensor d = Tensor.empty(pictures.shape(), pictures.dtype());
      kernels().image().unpatchify(patches, y.gradient().span(), d.span());
      pictures.add(d);
    }
  }
}
