package dev.fovea.vit.weights;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.io.StoredType;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.tensor.io.TensorInfo;
import dev.fovea.vit.model.VitConfig;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A file of timm's tensors with their shapes and nothing in them. */
final class Shapes implements TensorFile {
  private final Map<String, Shape> shapes = new LinkedHashMap<>();

  Shapes(VitConfig config) {
    for (Piece piece : TimmNames.of(config, new Names(Set.of()))) {
      shapes.put(piece.source(), piece.shape());
    }
  }

  @Override
  public List<String> names() {
    return List.copyOf(shapes.keySet());
  }

  @Override
  public TensorInfo info(String name) {
    return new TensorInfo(name, StoredType.F32, shapes.get(name));
  }

  @Override
  public void copyTo(String name, DType dtype, MemorySegment target) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<String, String> metadata() {
    return Map.of();
  }

  @Override
  public void close() {}
}
