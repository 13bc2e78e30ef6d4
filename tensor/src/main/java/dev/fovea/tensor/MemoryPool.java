package dev.fovea.tensor;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One device's memory: counts what is in use, keeps what was given back for the next that needs about as much, and
 * notices what became unreachable without being given back.
 *
 * <p>In use and cached together never exceed what was in use at the peak: a training loop finds everything in the cache
 * from its second step on, and a change of shapes does not pile up blocks of the old ones. Work that still reads a
 * block when it is given back must be ordered before work that is submitted later, as it is on CPU and on one stream.
 */
final class MemoryPool {
  private final Device device;
  private final RawMemory raw;
  private volatile long limit;
  private final boolean poison;
  private final ReferenceQueue<Memory> unreachable = new ReferenceQueue<>();

  // Guarded by this.
  private final Set<Allocation> live = new HashSet<>();
  private final Map<String, Long> labels = new HashMap<>();
  private Map<Long, ArrayDeque<Block>> cache = new HashMap<>();
  private @Nullable Reserve recording;
  private long current;
  private long peak;
  private long used;
  private long mostUsed;
  private long peakUsed;
  private long cached;
  private long clock;

  MemoryPool(Device device, RawMemory raw, long limit, boolean poison) {
    this.device = device;
    this.raw = raw;
    this.limit = limit;
    this.poison = poison;
  }

  static MemoryPool of(Device device) {
    return switch (device) {
      case CpuDevice cpu -> cpu.pool();
      case CudaDevice cuda -> cuda.pool();
    };
  }

  RawMemory raw() {
    return raw;
  }

  /** Memory with one reference, which the caller holds. */
  Memory allocate(long bytes, String label, boolean zeroed, @Nullable Origin origin) {
    Check.notNegative("bytes", bytes);
    reportLeaks();
    var request = new Allocation.Request(bytes, label, origin);
    Memory memory = reuse(request);
    if (memory == null) {
      memory = fresh(request, zeroed);
    } else if (zeroed) {
      raw.fill(memory.address(), bytes, (byte) 0);
    }
    if (poison && !zeroed) {
      raw.fill(memory.address(), bytes, (byte) 0xFF);
    }
    return memory;
  }

  private synchronized @Nullable Memory reuse(Allocation.Request request) {
    long capacity = Block.capacity(request.bytes());
    ArrayDeque<Block> blocks = cache.get(capacity);
    if (blocks == null || blocks.isEmpty()) {
      return null;
    }
    // What a graph has cached while it is recorded counts as in use already.
    if (recording == null && capacity > limit - used) {
      throw outOfMemory(request.bytes());
    }
    Block block = blocks.pollFirst();
    cached -= block.capacity;
    return new Memory(device, this, block, request);
  }

  private synchronized Memory fresh(Allocation.Request request, boolean zeroed) {
    long capacity = Block.capacity(request.bytes());
    // What a graph gave back while it is recorded stays its own.
    if (capacity > limit - used - (recording == null ? 0 : cached)) {
      throw outOfMemory(request.bytes());
    }
    evict(Math.max(mostUsed - used - capacity, 0));
    long address = raw.take(capacity, zeroed);
    if (address == 0) {
      evict(0);
      address = raw.take(capacity, zeroed);
    }
    if (address == 0) {
      throw outOfMemory(request.bytes());
    }
    return new Memory(device, this, new Block(address, capacity), request);
  }

  /**
   * What a recorded graph works in: no block of it is used for anything else until it is given back, because every
   * replay writes to it.
   */
  static final class Reserve {
    private final Map<Long, ArrayDeque<Block>> cacheBefore;
    private final List<Memory> memory = new ArrayList<>();
    private final List<Block> blocks = new ArrayList<>();

    private Reserve(Map<Long, ArrayDeque<Block>> cacheBefore) {
      this.cacheBefore = cacheBefore;
    }
  }

  /** From now on blocks are taken anew, and those given back are used again for this reserve only. */
  synchronized void beginReserve() {
    if (recording != null) {
      throw new IllegalStateException("a graph is being recorded on " + device.name() + " already");
    }
    recording = new Reserve(cache);
    cache = new HashMap<>();
  }

  /** Ends that; what was allocated in between stays reserved. */
  synchronized Reserve endReserve() {
    Reserve reserve = recording;
    if (reserve == null) {
      throw new IllegalStateException("no graph is being recorded on " + device.name());
    }
    recording = null;
    cache.values().forEach(reserve.blocks::addAll);
    cache = reserve.cacheBefore;
    for (Block block : reserve.blocks) {
      cached -= block.capacity;
      used += block.capacity;
    }
    reserve.memory.removeIf(memory -> !memory.tryRetain());
    return reserve;
  }

  /** Gives a reserve back. */
  void release(Reserve reserve) {
    synchronized (this) {
      for (Block block : reserve.blocks) {
        used -= block.capacity;
        keep(block);
      }
      reserve.blocks.clear();
    }
    reserve.memory.forEach(Memory::release);
    reserve.memory.clear();
  }

  /** Counts new memory; called by its constructor. */
  synchronized Allocation watch(Memory memory, Block block, Allocation.Request request) {
    if (recording != null) {
      recording.memory.add(memory);
    }
    var allocation = new Allocation(memory, unreachable, this, block, request);
    live.add(allocation);
    labels.merge(request.label(), request.bytes(), Long::sum);
    current += request.bytes();
    peak = Math.max(peak, current);
    used += block.capacity;
    mostUsed = Math.max(mostUsed, used);
    peakUsed = Math.max(peakUsed, used);
    return allocation;
  }

  /** Takes memory back; false if that was done before. */
  synchronized boolean free(Allocation allocation) {
    if (!live.remove(allocation)) {
      return false;
    }
    long bytes = allocation.bytes();
    labels.computeIfPresent(allocation.label(), (label, sum) -> sum == bytes ? null : sum - bytes);
    current -= bytes;
    Block block = allocation.block();
    if (poison) {
      raw.fill(block.address, bytes, (byte) 0xFF);
    }
    used -= block.capacity;
    keep(block);
    return true;
  }

  /** Puts a block into the cache. */
  private synchronized void keep(Block block) {
    block.stamp = ++clock;
    cached += block.capacity;
    cache.computeIfAbsent(block.capacity, capacity -> new ArrayDeque<>()).addFirst(block);
  }

  /** Gives cached blocks back to the system, the ones unused for longest first, until at most so many bytes remain. */
  synchronized void evict(long remaining) {
    if (recording != null) {
      return; // the graph still needs what is cached now
    }
    while (cached > remaining) {
      ArrayDeque<Block> oldest = cache.values().stream()
          .filter(blocks -> !blocks.isEmpty())
          .min(Comparator.comparingLong(blocks -> blocks.getLast().stamp))
          .orElseThrow();
      Block block = oldest.removeLast();
      cached -= block.capacity;
      raw.give(block.address);
    }
    cache.values().removeIf(ArrayDeque::isEmpty);
  }

  /** Reports memory that became unreachable since the last call, and takes it back. */
  void reportLeaks() {
    List<Allocation> leaks = null;
    for (Reference<?> gone = unreachable.poll(); gone != null; gone = unreachable.poll()) {
      if (gone instanceof Allocation allocation && free(allocation)) {
        leaks = leaks == null ? new ArrayList<>() : leaks;
        leaks.add(allocation);
      }
    }
    if (leaks != null) {
      Leaks.report(device, leaks);
    }
  }

  private OutOfDeviceMemoryException outOfMemory(long bytes) {
    return new OutOfDeviceMemoryException(device.name(), bytes, current, cached, limit, byLabel());
  }

  synchronized long current() {
    return current;
  }

  synchronized long peak() {
    return peak;
  }

  synchronized long peakUsed() {
    return peakUsed;
  }

  synchronized void resetPeak() {
    peak = current;
    peakUsed = used;
  }

  synchronized long reserved() {
    return used + cached;
  }

  long limit() {
    return limit;
  }

  void limit(long bytes) {
    limit = bytes;
  }

  /** Bytes in use by label, most first. */
  synchronized Map<String, Long> byLabel() {
    var sorted = new LinkedHashMap<String, Long>();
    labels.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed().thenComparing(Map.Entry.comparingByKey()))
        .forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
    return sorted;
  }

  /** What is in use. */
  synchronized List<Allocation> live() {
    return List.copyOf(live);
  }
}
