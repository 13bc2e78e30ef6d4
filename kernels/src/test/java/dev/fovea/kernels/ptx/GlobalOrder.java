package dev.fovea.kernels.ptx;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Who wrote what of global memory within one launch, and whose writes a block may rely on. Blocks run in any order: one
 * that touches what another wrote must have learnt of it, by an atomic operation on a word that the other one changed
 * after its writes. A fence must stand between those writes and the other's operation, and another one between this
 * block's operation and what it reads: without them a GPU may give older values, of its own caches or of memory.
 *
 * <p>Blocks are told apart, not their threads: a fence of one thread speaks for all that the block has done so far,
 * which is what a barrier before it makes true.
 */
final class GlobalOrder {
  /** Of a writer's stamp: after how many of the block's announcements it wrote. */
  private static final int EPOCH_BITS = 2;

  private static final int LAST_EPOCH = (1 << EPOCH_BITS) - 1;

  /** No two launches of a process have the same stamps. */
  private static final AtomicInteger NEXT = new AtomicInteger(1);

  private final int blocks;
  private final int first;

  /** What the blocks said that changed a word: how many epochs of each block's writes one may rely on. */
  private final Map<Long, byte[]> announced = new HashMap<>();

  private GlobalOrder(int blocks) {
    this.blocks = blocks;
    first = NEXT.getAndAdd(blocks << EPOCH_BITS);
  }

  /** The order of a launch, or null where there is none to check. */
  static @Nullable GlobalOrder of(long blocks, Checks checks) {
    return checks.races() && blocks > 1 && blocks < 1 << 24 ? new GlobalOrder((int) blocks) : null;
  }

  /** One block's part in it. */
  final class Member {
    private int number;
    private int epoch;

    /** Whether the block has written since its last fence. */
    private boolean unfenced;

    private byte @Nullable [] known;

    /** What became known by atomic operations since the last fence. */
    private byte @Nullable [] heard;

    void begin(long number) {
      this.number = (int) number;
      epoch = 0;
      unfenced = false;
      known = null;
      heard = null;
    }

    /** Notes a write of whole words; what smaller ones leave is nobody's. */
    void write(Warp w, int lane, Allocation allocation, long at, int span) {
      unfenced = true;
      int[] writers = allocation.writers();
      int word = (int) (at >>> 2);
      if (span < 4) {
        writers[word] = 0;
        return;
      }
      for (int end = word + (span >> 2); word < end; word++) {
        if (isForeign(writers[word])) {
          throw foreign(w, lane, allocation, word, "writes over");
        }
        writers[word] = first + (number << EPOCH_BITS) + epoch;
      }
    }

    void read(Warp w, int lane, Allocation allocation, long at, int span) {
      int[] writers = allocation.writers;
      if (writers == null) {
        return;
      }
      int end = (int) (at + span + 3 >>> 2);
      for (int word = (int) (at >>> 2); word < end; word++) {
        if (isForeign(writers[word])) {
          throw foreign(w, lane, allocation, word, "reads");
        }
      }
    }

    private boolean isForeign(int writer) {
      int stamp = writer - first;
      if (writer == 0 || stamp < 0 || stamp >= blocks << EPOCH_BITS || stamp >> EPOCH_BITS == number) {
        return false;
      }
      return known == null || known[stamp >> EPOCH_BITS] <= (stamp & LAST_EPOCH);
    }

    private PtxException foreign(Warp w, int lane, Allocation allocation, int word, String verb) {
      int writer = allocation.writers()[word] - first >> EPOCH_BITS;
      return w.fault(
          lane,
          verb + " offset " + 4L * word + " of " + allocation + ", which block number " + writer
              + " wrote in the same launch, with no fence, atomic operation and fence in between");
    }

    void fence() {
      unfenced = false;
      if (heard != null) {
        known = largest(known, heard);
        heard = null;
      }
    }

    /** An atomic operation on a word; one at a time, under the lock of the memory. */
    void change(long address) {
      byte[] said = announced.computeIfAbsent(address, key -> new byte[blocks]);
      heard = largest(heard, said);
      if (unfenced) {
        return;
      }
      if (known != null) {
        largest(said, known);
      }
      said[number] = (byte) Math.max(said[number], epoch + 1);
      epoch = Math.min(epoch + 1, LAST_EPOCH);
    }

    private byte[] largest(byte @Nullable [] of, byte[] with) {
      byte[] result = of == null ? new byte[blocks] : of;
      for (int i = 0; i < blocks; i++) {
        result[i] = (byte) Math.max(result[i], with[i]);
      }
      return result;
    }
  }
}
