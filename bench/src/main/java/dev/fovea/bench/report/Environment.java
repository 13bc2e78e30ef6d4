package dev.fovea.bench.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The machine and the software that results are from.
 *
 * @param date when the run began, ISO 8601 in UTC
 * @param command what was typed
 * @param version of Fovea
 * @param commit of its sources, with {@code +} where they had changes; null outside a checkout
 * @param cpu the processor's name
 * @param cores that the JVM may use
 * @param vectors what the CPU kernels run on, in words
 * @param memoryBytes of the machine
 * @param os name and version
 * @param jvm vendor and version
 * @param jvmFlags of the processes that measure
 * @param gpu name and driver; null where the CPU was measured
 * @param peers versions by name
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Environment(
    String date,
    String command,
    String version,
    @Nullable String commit,
    String cpu,
    int cores,
    String vectors,
    long memoryBytes,
    String os,
    String jvm,
    List<String> jvmFlags,
    @Nullable String gpu,
    Map<String, String> peers) {
  /** The same with more peers. */
  public Environment withPeers(Map<String, String> more) {
    Map<String, String> all = new TreeMap<>(peers);
    all.putAll(more);
    return new Environment(
        date, command, version, commit, cpu, cores, vectors, memoryBytes, os, jvm, jvmFlags, gpu, all);
  }
}
