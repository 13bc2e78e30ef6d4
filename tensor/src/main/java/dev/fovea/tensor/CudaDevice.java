package dev.fovea.tensor;

import dev.fovea.kernels.KernelSet;
import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.kernels.cuda.CudaKernels;
import dev.fovea.kernels.cuda.DeviceInfo;
import dev.fovea.kernels.cuda.Driver;
import dev.fovea.kernels.cuda.JcudaDriver;
import dev.fovea.kernels.cuda.KernelBuild;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A GPU. Kernels and copies are queued on one stream and run in its order; only reading values on the host waits for
 * them. Safe to use from several threads.
 *
 * <p>Memory that tensors give back is cached for the next tensors of about that size, as on {@link CpuDevice}. Where
 * the GPU has none left, what is cached goes back to its driver first.
 */
public final class CudaDevice implements Device, AutoCloseable {
  /** The GPUs that the whole process shares, opened when first asked for. */
  static final class Shared {
    private static final Map<Integer, CudaDevice> DEVICES = new HashMap<>();

    private Shared() {}

    static CudaDevice open(int ordinal) {
      synchronized (DEVICES) {
        CudaDevice device = DEVICES.get(ordinal);
        if (device == null) {
          device = make(ordinal);
          DEVICES.put(ordinal, device);
        }
        return device;
      }
    }

    private static CudaDevice make(int ordinal) {
      JcudaDriver driver = JcudaDriver.open(ordinal);
      if (KernelBuild.find() == null) {
        driver.close();
        throw new CudaException(
            "NO_KERNELS",
            "this Fovea was built without GPU kernels: build it where nvcc is, or take the published jars");
      }
      return new CudaDevice(driver, "cuda:" + ordinal);
    }

    private static boolean contains(CudaDevice device) {
      synchronized (DEVICES) {
        return DEVICES.containsValue(device);
      }
    }
  }

  private final String name;
  private final Driver driver;
  private final long stream;
  private final CudaMemory raw;
  private final MemoryPool pool;
  private final MemoryStats memory;
  private volatile @Nullable CudaKernels kernels;
  private @Nullable CudaCopies offloads;
  private @Nullable CudaCopies uploads;
  private volatile boolean closed;

  private CudaDevice(Driver driver, String name) {
    this.driver = driver;
    this.name = name;
    stream = driver.createStream();
    raw = new CudaMemory(driver, stream);
    pool = new MemoryPool(this, raw, Long.MAX_VALUE, Boolean.getBoolean("fovea.poison"));
    memory = new MemoryStats(pool);
  }

  /** A device over a driver of the caller's, which is closed with it. To be closed. */
  public static CudaDevice over(Driver driver) {
    return new CudaDevice(driver, "cuda:" + driver.info().ordinal());
  }

  @Override
  public String name() {
    return name;
  }

  /** What the GPU is. */
  public DeviceInfo info() {
    return driver.info();
  }

  /** Bytes that are free on the GPU at this moment, for whoever asks first; what is cached here is not. */
  public long freeBytes() {
    checkOpen();
    return driver.memory().freeBytes();
  }

  @Override
  public KernelSet kernels() {
    CudaKernels made = kernels;
    return made != null ? made : makeKernels();
  }

  private synchronized KernelSet makeKernels() {
    checkOpen();
    CudaKernels made = kernels;
    if (made == null) {
      made = CudaKernels.over(driver, stream);
      kernels = made;
    }
    return made;
  }

  @Override
  public Memory allocate(long bytes, String label) {
    checkOpen();
    return pool.allocate(bytes, label, false, Origin.sampled());
  }

  @Override
  public MemoryStats memory() {
    return memory;
  }

  MemoryPool pool() {
    checkOpen();
    return pool;
  }

  /** Copies of what is put away while it is not needed; made when first asked for. */
  synchronized CudaCopies offloads() {
    checkOpen();
    CudaCopies made = offloads;
    if (made == null) {
      made = new CudaCopies(driver, stream);
      offloads = made;
    }
    return made;
  }

  /** Copies of what is computed with; made when first asked for. */
  synchronized CudaCopies uploads() {
    checkOpen();
    CudaCopies made = uploads;
    if (made == null) {
      made = new CudaCopies(driver, stream);
      uploads = made;
    }
    return made;
  }

  /** Waits until everything that was queued is done. What has failed in the meantime is thrown here. */
  public void synchronize() {
    checkOpen();
    driver.synchronize(stream);
  }

  /**
   * Records work whose shapes and memory do not change, to be {@linkplain CudaGraph#replay replayed} as a whole at the
   * cost of one launch.
   *
   * <p>{@code work} runs twice: once as always, so that everything it needs is loaded, and once recorded. Tensors that
   * it reads must stay where they are; those that it makes and keeps are written again at every replay. It must not
   * read values on the host. No other thread may use the device meanwhile.
   *
   * @throws IllegalStateException if work copies between host and GPU when it is recorded
   */
  public CudaGraph record(Runnable work) {
    checkOpen();
    work.run();
    pool.evict(0); // what the first run left is not needed beside what the graph takes
    driver.synchronize(stream); // for the recording takes memory on another stream
    pool.beginReserve();
    long graph;
    try {
      graph = recorded(work);
    } catch (Throwable e) {
      pool.release(pool.endReserve());
      throw e;
    }
    return new CudaGraph(this, driver, stream, graph, pool.endReserve());
  }

  private long recorded(Runnable work) {
    raw.beginRecording();
    try {
      work.run();
    } catch (Throwable e) {
      abandon(e);
      throw e;
    }
    return raw.endRecording();
  }

  /** Ends a recording that is of no use; if the driver says that it is lost, {@code cause} is why. */
  private void abandon(Throwable cause) {
    try {
      driver.destroyGraph(raw.endRecording());
    } catch (CudaException e) {
      cause.addSuppressed(e);
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("device " + name + " used after close");
    }
  }

  /**
   * Waits for what is queued, gives cached memory back and closes the driver.
   *
   * @throws IllegalStateException if memory is still in use (the device then stays open), if it was closed before, or
   *     if it is one that {@link Device#cuda} returned
   */
  @Override
  public synchronized void close() {
    checkOpen();
    if (Shared.contains(this)) {
      throw new IllegalStateException("device " + name + " is shared by the whole process and cannot be closed");
    }
    if (memory.current() != 0) {
      throw new IllegalStateException("device " + name + " closed while in use: " + memory);
    }
    driver.synchronize(stream);
    closed = true;
    if (offloads != null) {
      offloads.close();
    }
    if (uploads != null) {
      uploads.close();
    }
    CudaKernels made = kernels;
    if (made != null) {
      made.close();
      kernels = null;
    }
    memory.trim();
    raw.close();
    driver.destroyStream(stream);
    driver.close();
  }

  @Override
  public String toString() {
    return name;
  }
}
