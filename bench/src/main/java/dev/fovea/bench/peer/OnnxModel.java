package dev.fovea.bench.peer;

import dev.fovea.bench.report.Unavailable;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;

/**
 * A model in ONNX Runtime, by reflection on its Java artifact: that is a hundred megabytes, and only on the class path
 * where somebody asked for peers.
 */
public final class OnnxModel implements AutoCloseable {
  private static final String PACKAGE = "ai.onnxruntime.";

  private final AutoCloseable session;
  private final Map<String, Object> inputs;

  /** Loads a model file with one input, {@code pixel_values}, that reads these floats in native memory. */
  public OnnxModel(Path file, int threads, MemorySegment pixels, long... shape) {
    Class<?> environmentType = type("OrtEnvironment");
    Class<?> optionsType = type("OrtSession$SessionOptions");
    try {
      Object environment = environmentType.getMethod("getEnvironment").invoke(null);
      Object options = optionsType.getConstructor().newInstance();
      optionsType.getMethod("setIntraOpNumThreads", int.class).invoke(options, threads);
      optionsType.getMethod("setInterOpNumThreads", int.class).invoke(options, 1);
      session = (AutoCloseable) environmentType
          .getMethod("createSession", String.class, optionsType)
          .invoke(environment, file.toString(), options);
      FloatBuffer buffer = pixels.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
      inputs = Map.of(
          "pixel_values",
          type("OnnxTensor")
              .getMethod("createTensor", environmentType, FloatBuffer.class, long[].class)
              .invoke(null, environment, buffer, shape));
    } catch (ReflectiveOperationException e) {
      throw failed(e);
    }
  }

  /** Runs it, and returns the first output of two dimensions. */
  public float[][] run() {
    try (var result =
        (AutoCloseable) session.getClass().getMethod("run", Map.class).invoke(session, inputs)) {
      Object first = result.getClass().getMethod("get", int.class).invoke(result, 0);
      return (float[][]) type("OnnxValue").getMethod("getValue").invoke(first);
    } catch (Exception e) {
      throw failed(e);
    }
  }

  private static Class<?> type(String name) {
    try {
      return Class.forName(PACKAGE + name);
    } catch (ClassNotFoundException e) {
      throw new Unavailable(
          "ONNX Runtime is not on the class path: build with -Ppeers and add bench/target/peers/* to it", e);
    }
  }

  private static IllegalStateException failed(Exception e) {
    return new IllegalStateException(e instanceof InvocationTargetException ? e.getCause() : e);
  }

  @Override
  public void close() throws Exception {
    session.close();
  }
}
