package dev.fovea.kernels.cuda;

import java.lang.foreign.Arena;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/** The recorded graphs of one driver. */
final class JcudaGraphs {
  private static final int UPDATE_RESULT_BYTES = 24;

  private final JcudaCalls calls;
  private final Map<Long, CUstream> streams;
  private final Map<Long, CUgraphExec> graphs = new ConcurrentHashMap<>();

  JcudaGraphs(JcudaCalls calls, Map<Long, CUstream> streams) {
    this.calls = calls;
    this.streams = streams;
  }

  void beginCapture(long stream) {
    calls.enter();
    CUstream known = JcudaHandles.known(streams.get(stream), "stream");
    calls.check(
        JCudaDriver.cuStreamBeginCapture(known, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED),
        "start of recording a graph");
    calls.recorded().add(stream);
  }

  long endCapture(long stream, long graph) {
    calls.enter();
    calls.recorded().remove(stream);
    JcudaHandles.Graph recorded = new JcudaHandles.Graph();
    calls.check(
        JCudaDriver.cuStreamEndCapture(JcudaHandles.known(streams.get(stream), "stream"), recorded),
        "end of recording a graph");
    try {
      return graph != 0 && update(graph, recorded.address()) ? graph : instantiate(recorded);
    } finally {
      JCudaDriver.cuGraphDestroy(recorded);
    }
  }

  private boolean update(long graph, long recorded) {
    try (Arena arena = Arena.ofConfined()) {
      int error = Libcuda.updateGraph(graph, recorded, arena.allocate(UPDATE_RESULT_BYTES, Long.BYTES));
      if (error == CudaErrors.GRAPH_UPDATE_FAILURE) {
        return false;
      }
      calls.check(error, "update of a graph");
      return true;
    }
  }

  private long instantiate(CUgraph recorded) {
    JcudaHandles.Executable executable = new JcudaHandles.Executable();
    calls.check(JCudaDriver.cuGraphInstantiate(executable, recorded, 0), "making of a graph");
    graphs.put(executable.address(), executable);
    return executable.address();
  }

  void launch(long graph, long stream) {
    calls.enter();
    calls.checkQueued(Libcuda.launchGraph(graph, stream), "launch of a graph", stream);
  }

  void destroy(long graph) {
    calls.enter();
    calls.check(JCudaDriver.cuGraphExecDestroy(JcudaHandles.known(graphs.remove(graph), "graph")), "end of a graph");
  }
}
