package dev.fovea.vit.image;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Decodes and prepares files on threads of its own, some ahead of who takes them, and hands the results out in the
 * files' order. For one thread to use, and to be closed.
 */
public final class PictureLoader implements AutoCloseable {
  private static final int MAX_THREADS = 4;

  private final Preprocessor preprocessor;
  private final long maxPixels;
  private final int ahead;
  private final Iterator<Path> files;
  private final ArrayDeque<Future<Loaded>> pending = new ArrayDeque<>();
  private final ExecutorService threads;

  /** A file that was read, or could not be. */
  public static final class Loaded {
    private final Path file;
    private final float @Nullable [] pixels;
    private final @Nullable IOException failure;

    private Loaded(Path file, float @Nullable [] pixels, @Nullable IOException failure) {
      this.file = file;
      this.pixels = pixels;
      this.failure = failure;
    }

    /** The file. */
    public Path file() {
      return file;
    }

    /** What the model takes, [3, height, width]; null if it failed. */
    public float @Nullable [] pixels() {
      return pixels;
    }

    /** Why it could not be read, in a message that names the file; null if it could. */
    public @Nullable IOException failure() {
      return failure;
    }
  }

  /**
   * Begins to read.
   *
   * @param maxPixels the most pixels that a picture may have
   * @param ahead how many may be ready before they are taken
   */
  public PictureLoader(List<Path> files, Preprocessor preprocessor, long maxPixels, int ahead) {
    this.preprocessor = preprocessor;
    this.maxPixels = maxPixels;
    this.ahead = Math.max(1, ahead);
    this.files = List.copyOf(files).iterator();
    int count = Math.min(Math.min(MAX_THREADS, Runtime.getRuntime().availableProcessors()), Math.max(1, files.size()));
    threads = Executors.newFixedThreadPool(
        count, Thread.ofPlatform().daemon().name("fovea-picture-", 0).factory());
    fill();
  }

  private void fill() {
    while (pending.size() < ahead && files.hasNext()) {
      Path file = files.next();
      pending.add(threads.submit(() -> load(file)));
    }
  }

  private Loaded load(Path file) {
    try {
      return new Loaded(file, preprocessor.toFloats(Picture.read(file, maxPixels)), null);
    } catch (IOException e) {
      return new Loaded(file, null, e);
    }
  }

  /** Whether there is another file. */
  public boolean hasNext() {
    return !pending.isEmpty();
  }

  /**
   * The next file, waiting for it if need be.
   *
   * @throws NoSuchElementException if there is none
   * @throws InterruptedIOException if the thread was interrupted
   */
  public Loaded next() throws IOException {
    try {
      Loaded loaded = pending.remove().get();
      fill();
      return loaded;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while reading pictures");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Stops reading. */
  @Override
  public void close() {
    threads.shutdownNow();
  }
}
