package dev.fovea.bench.peer.libraries;

import dev.fovea.bench.peer.Peer;
import dev.fovea.bench.report.Unavailable;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.Nd4jBackend;

/** ND4J with its native CPU backend. */
public final class Nd4jProvider implements Peer.Provider {
  @Override
  public String name() {
    return "nd4j";
  }

  @Override
  public Peer open(String option, int threads) {
    try {
      Nd4jBackend.load();
    } catch (Nd4jBackend.NoAvailableBackendException e) {
      throw new Unavailable("nd4j: its native backend does not load here: " + e.getMessage(), e);
    }
    Nd4j.getEnvironment().setMaxThreads(threads);
    Nd4j.getEnvironment().setMaxMasterThreads(threads);
    openblas_nolapack.blas_set_num_threads(threads);
    return new Nd4jPeer();
  }
}
