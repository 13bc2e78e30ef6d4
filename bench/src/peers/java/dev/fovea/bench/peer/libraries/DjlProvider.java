package dev.fovea.bench.peer.libraries;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import dev.fovea.bench.peer.Peer;
import dev.fovea.bench.report.Unavailable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** PyTorch by way of DJL, from its artifacts alone: nothing is downloaded while it runs. */
public final class DjlProvider implements Peer.Provider {
  @Override
  public String name() {
    return "djl";
  }

  @Override
  public Peer open(String option, int threads) {
    Path cache = cache();
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("DJL_CACHE_DIR", cache.toString());
    System.setProperty("ENGINE_CACHE_DIR", cache.toString());
    System.setProperty("ai.djl.pytorch.num_threads", String.valueOf(threads));
    System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
    System.setProperty("OPT_OUT_TRACKING", "true");
    try {
      return new DjlPeer(Engine.getEngine("PyTorch"));
    } catch (EngineException e) {
      throw new Unavailable("djl: PyTorch's native library does not load here: " + e.getMessage(), e);
    }
  }

  /** Where the libraries are unpacked to, once for all processes. */
  private static Path cache() {
    try {
      return Files.createDirectories(Path.of(System.getProperty("java.io.tmpdir"), "fovea-bench-djl"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
