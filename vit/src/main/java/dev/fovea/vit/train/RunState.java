package dev.fovea.vit.train;

import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.Safetensors;
import dev.fovea.tensor.io.TensorInfo;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.zip.CRC32C;

/**
 * Everything that a run needs to go on from a step: a safetensors file with the parameters, the optimizer's state and
 * the averaged parameters, and notes with the step, the best evaluation so far and a checksum (CRC-32C over the names
 * and bytes of all tensors, in the order of their names). The file appears whole or not at all.
 *
 * @param step updates done
 * @param bestScore of all evaluations up to here, see {@link Evaluation#score}; -1 before the first
 * @param bestStep when that was
 */
record RunState(long step, double bestScore, long bestStep) {
  private static final String CHECKSUM = "crc32c";
  private static final long CHUNK = 1 << 30;

  /** Writes the file. */
  void write(Path file, Map<String, Tensor> tensors) throws IOException {
    Map<String, String> notes = Map.of(
        "step",
        Long.toString(step),
        "best_accuracy",
        Double.toString(bestScore),
        "best_step",
        Long.toString(bestStep),
        CHECKSUM,
        checksum(tensors.keySet(), (name, sum) -> add(Objects.requireNonNull(tensors.get(name)), sum)));
    Safetensors.write(file, tensors, notes);
  }

  /**
   * Reads a file into tensors that exist already.
   *
   * @throws IOException if the checksum is another one, or tensors are missing or of other shapes
   */
  static RunState read(Path file, Map<String, Tensor> tensors) throws IOException {
    try (Safetensors stored = Safetensors.open(file)) {
      String noted = stored.metadata().get(CHECKSUM);
      if (!checksum(stored.names(), (name, sum) -> add(stored.segment(name), sum))
          .equals(noted)) {
        throw new IOException(file + ": the checksum is not the one noted, the file is damaged");
      }
      RunState checkpoint = notes(file, stored);
      if (!tensors.keySet().equals(Set.copyOf(stored.names()))) {
        throw new IOException(file + ": is a checkpoint of another model or optimizer");
      }
      for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
        TensorInfo info = stored.info(entry.getKey());
        Tensor tensor = entry.getValue();
        if (!info.shape().equals(tensor.shape())) {
          throw new IOException(
              "%s: %s is %s, expected %s".formatted(file, entry.getKey(), info.shape(), tensor.shape()));
        }
        try (Scope scope = Scope.open(tensor.device())) {
          tensor.copyFrom(stored.load(entry.getKey(), tensor.dtype()));
        }
      }
      return checkpoint;
    }
  }

  private static RunState notes(Path file, Safetensors stored) throws IOException {
    Map<String, String> notes = stored.metadata();
    try {
      return new RunState(
          Long.parseLong(notes.getOrDefault("step", "")),
          Double.parseDouble(notes.getOrDefault("best_accuracy", "")),
          Long.parseLong(notes.getOrDefault("best_step", "")));
    } catch (NumberFormatException e) {
      throw new IOException(file + ": is no checkpoint of a training run");
    }
  }

  private static String checksum(Collection<String> names, BiConsumer<String, CRC32C> content) {
    CRC32C sum = new CRC32C();
    for (String name : new TreeSet<>(names)) {
      sum.update(name.getBytes(StandardCharsets.UTF_8));
      content.accept(name, sum);
    }
    return "%08x".formatted(sum.getValue());
  }

  /** Adds a tensor's bytes: from where they are on the CPU, else from a copy. */
  private static void add(Tensor tensor, CRC32C sum) {
    if (tensor.device() instanceof CpuDevice) {
      add(tensor.segment(), sum);
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(tensor.span().bytes(), Long.BYTES);
      tensor.copyTo(copy);
      add(copy, sum);
    }
  }

  private static void add(MemorySegment bytes, CRC32C sum) {
    for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
      sum.update(bytes.asSlice(at, Math.min(CHUNK, bytes.byteSize() - at)).asByteBuffer());
    }
  }
}
