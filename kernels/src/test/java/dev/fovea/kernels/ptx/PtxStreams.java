package dev.fovea.kernels.ptx;

import dev.fovea.kernels.cuda.CudaException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Streams, events and graphs of the machine. Work is done when it is submitted, or when somebody waits for it. */
final class PtxStreams {
  /** Something to do on a stream. */
  interface Work {
    void run();

    /** What it is, so that two recordings can be compared. */
    String kind();
  }

  private static final class Stream {
    final ArrayDeque<Work> queue = new ArrayDeque<>();

    @Nullable
    List<Work> recording;
  }

  private static final class Event {
    Occurrence last = new Occurrence(0, false);

    @Nullable
    List<Work> recording;
  }

  /** What an event was recorded for: who waits for it goes on doing so when the event is recorded again. */
  private static final class Occurrence {
    final long stream;
    boolean pending;
    long nanos;

    Occurrence(long stream, boolean pending) {
      this.stream = stream;
      this.pending = pending;
    }
  }

  private final boolean deferred;
  private final Map<Long, Stream> streams = new HashMap<>();
  private final Map<Long, Event> events = new HashMap<>();
  private final Map<Long, List<Work>> graphs = new HashMap<>();
  private long next = 1;

  PtxStreams(boolean deferred) {
    this.deferred = deferred;
    streams.put(0L, new Stream());
  }

  private static <T> T find(Map<Long, T> map, long key, String what) {
    T found = map.get(key);
    if (found == null) {
      throw new CudaException("CUDA_ERROR_INVALID_HANDLE", what + " " + key + " does not exist or is gone");
    }
    return found;
  }

  long createStream() {
    streams.put(next, new Stream());
    return next++;
  }

  void destroyStream(long stream) {
    synchronize(stream);
    streams.remove(stream);
  }

  /** Does the work, records it, or keeps it for later. */
  void submit(long stream, Work work) {
    Stream on = find(streams, stream, "stream");
    if (on.recording != null) {
      on.recording.add(work);
    } else if (deferred) {
      on.queue.add(work);
    } else {
      work.run();
    }
  }

  boolean recording(long stream) {
    return find(streams, stream, "stream").recording != null;
  }

  /** Fails for what cannot be recorded. */
  void forbidRecording(long stream, String what) {
    if (recording(stream)) {
      throw new CudaException(
          "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", what + " while its stream is recorded is not possible");
    }
  }

  /** Fails while any stream is recorded. */
  void forbidRecording(String what) {
    streams.keySet().forEach(stream -> forbidRecording(stream, what));
  }

  void synchronize(long stream) {
    forbidRecording(stream, "waiting");
    ArrayDeque<Work> queue = find(streams, stream, "stream").queue;
    while (!queue.isEmpty()) {
      queue.poll().run();
    }
  }

  void synchronizeAll() {
    for (long stream : List.copyOf(streams.keySet())) {
      if (!recording(stream)) {
        synchronize(stream);
      }
    }
  }

  /** Forgets what was never waited for. */
  void abandon() {
    streams.values().forEach(stream -> stream.queue.clear());
  }

  long createEvent() {
    events.put(next, new Event());
    return next++;
  }

  void destroyEvent(long event) {
    find(events, event, "event");
    events.remove(event);
  }

  void record(long event, long stream) {
    Event at = find(events, event, "event");
    at.recording = find(streams, stream, "stream").recording;
    if (at.recording != null) {
      return;
    }
    Occurrence now = new Occurrence(stream, true);
    at.last = now;
    submit(stream, work("event", () -> {
      now.pending = false;
      now.nanos = System.nanoTime();
    }));
  }

  void await(long stream, long event) {
    Event at = find(events, event, "event");
    if (at.recording != null) {
      // The recording goes on on this stream too.
      find(streams, stream, "stream").recording = at.recording;
      return;
    }
    Occurrence awaited = at.last;
    if (recording(stream) && (awaited.pending || awaited.nanos != 0)) {
      throw new CudaException(
          "CUDA_ERROR_STREAM_CAPTURE_ISOLATION", "what is recorded cannot wait for what is not recorded with it");
    }
    if (awaited.pending) {
      submit(stream, work("await", () -> happen(awaited)));
    }
  }

  void synchronizeEvent(long event) {
    happen(find(events, event, "event").last);
  }

  /** Does a stream's work until the event has happened. */
  private void happen(Occurrence event) {
    while (event.pending) {
      find(streams, event.stream, "stream").queue.remove().run();
    }
  }

  float millis(long from, long to) {
    Occurrence first = find(events, from, "event").last;
    Occurrence last = find(events, to, "event").last;
    if (first.nanos == 0 || last.nanos == 0 || first.pending || last.pending) {
      throw new CudaException("CUDA_ERROR_NOT_READY", "an event has not happened yet: nobody waited for it");
    }
    return (last.nanos - first.nanos) / 1e6f;
  }

  void beginCapture(long stream) {
    forbidRecording(stream, "recording");
    find(streams, stream, "stream").recording = new ArrayList<>();
  }

  long endCapture(long stream, long graph) {
    List<Work> recorded = find(streams, stream, "stream").recording;
    if (recorded == null) {
      throw new CudaException("CUDA_ERROR_INVALID_VALUE", "the stream is not recorded");
    }
    for (Stream other : streams.values()) {
      if (other.recording == recorded) {
        other.recording = null;
      }
    }
    List<Work> known = graph == 0 ? null : find(graphs, graph, "graph");
    if (known != null && kinds(known).equals(kinds(recorded))) {
      graphs.put(graph, recorded);
      return graph;
    }
    graphs.put(next, recorded);
    return next++;
  }

  private static List<String> kinds(List<Work> works) {
    return works.stream().map(Work::kind).toList();
  }

  void launchGraph(long graph, long stream) {
    for (Work work : find(graphs, graph, "graph")) {
      submit(stream, work);
    }
  }

  void destroyGraph(long graph) {
    find(graphs, graph, "graph");
    graphs.remove(graph);
  }

  static Work work(String kind, Runnable action) {
    return new Work() {
      @Override
      public void run() {
        action.run();
      }

      @Override
      public String kind() {
        return kind;
      }
    };
  }
}
