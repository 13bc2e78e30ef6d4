package dev.fovea.kernels.contract;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cuda.Driver;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * {@link CaseMemory} on a device: what {@link HostCaseMemory} draws, copied there, and back after the call. The guard
 * bytes around host spans travel along unless the device itself sees every access that is out of bounds.
 */
public final class DriverCaseMemory implements CaseMemory, AutoCloseable {
  private final HostCaseMemory host;
  private final Driver driver;
  private final long stream;
  private final int guard;
  private final Map<Span, Span> hostSpans = new LinkedHashMap<>();

  /** @param guarded whether guard bytes surround the device's spans too */
  public DriverCaseMemory(long seed, Driver driver, long stream, boolean guarded) {
    host = new HostCaseMemory(seed);
    this.driver = driver;
    this.stream = stream;
    guard = guarded ? HostCaseMemory.GUARD : 0;
  }

  @Override
  public Span normal(DType dtype, long count, double deviation) {
    return upload(host.normal(dtype, count, deviation));
  }

  @Override
  public Span values(DType dtype, double... values) {
    return upload(host.values(dtype, values));
  }

  @Override
  public Span integers(DType dtype, long count, long low, long high) {
    return upload(host.integers(dtype, count, low, high));
  }

  @Override
  public Span output(String name, DType dtype, long count, Tolerance tolerance) {
    return upload(host.output(name, dtype, count, tolerance));
  }

  @Override
  public Span inout(String name, Span span, Tolerance tolerance) {
    host.inout(name, hostSpans.get(span), tolerance);
    return span;
  }

  @Override
  public Span workspace(DType dtype, long count) {
    return upload(host.workspace(dtype, count));
  }

  /** The host's side, as it was before the call until {@link #fetch}. */
  HostCaseMemory host() {
    return host;
  }

  /** Copies everything back, inputs too: nothing but outputs may have changed. */
  void fetch() {
    hostSpans.forEach((device, span) -> {
      if (span.bytes() + guard > 0) {
        driver.copyToHost(segment(span), device.address() - guard, stream);
      }
    });
    driver.synchronize(stream);
  }

  private Span upload(Span span) {
    long address = driver.allocate(Math.max(1, span.bytes() + 2L * guard), stream);
    if (address == 0) {
      throw new IllegalStateException("the device has no room for " + span);
    }
    if (span.bytes() + guard > 0) {
      driver.copyToDevice(address, segment(span), stream);
    }
    Span device = new Span(address + guard, span.bytes(), span.dtype());
    hostSpans.put(device, span);
    return device;
  }

  private MemorySegment segment(Span span) {
    return MemorySegment.ofAddress(span.address() - guard).reinterpret(span.bytes() + 2L * guard);
  }

  @Override
  public void close() {
    hostSpans.keySet().forEach(span -> driver.free(span.address() - guard, stream));
    host.close();
  }
}
