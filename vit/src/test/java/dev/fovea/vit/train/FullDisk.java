package dev.fovea.vit.train;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.StandardOpenOption;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The computer's files as seen through a disk that gets full: from some byte of some file on, nothing is written any
 * more, and a write says so as Linux does. What is there can be read, moved and deleted, and there can be new names.
 */
final class FullDisk extends FileSystem {
  /** What a write says. */
  static final String REASON = "No space left on device";

  private final FileSystem real = FileSystems.getDefault();
  private final Provider provider = new Provider();
  private final List<String> opened = new ArrayList<>();
  private int file = Integer.MAX_VALUE;
  private long left = Long.MAX_VALUE;

  /** Full after so many bytes of the file that is the {@code number}th to be opened for writing, from 0. */
  synchronized void fillAt(int number, long bytes) {
    file = number;
    left = bytes;
  }

  /** The files that were opened for writing, in order. */
  synchronized List<String> opened() {
    return List.copyOf(opened);
  }

  /** A path seen through this disk. */
  Path on(Path path) {
    return (Path) Proxy.newProxyInstance(
        FullDisk.class.getClassLoader(), new Class<?>[] {Path.class}, (self, method, arguments) -> {
          if (method.getName().equals("getFileSystem")) {
            return this;
          }
          Object[] given = arguments == null ? new Object[0] : arguments.clone();
          for (int i = 0; i < given.length; i++) {
            given[i] = given[i] instanceof Path other ? real(other) : given[i];
          }
          try {
            return wrapped(method.invoke(path, given), method.getName());
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        });
  }

  private @Nullable Object wrapped(@Nullable Object result, String method) {
    if (method.equals("iterator") && result instanceof Iterator<?> names) {
      List<Path> all = new ArrayList<>();
      names.forEachRemaining(name -> all.add(on((Path) name)));
      return all.iterator();
    }
    return result instanceof Path path ? on(path) : result;
  }

  /** The path itself; paths of this disk are told by their file system. */
  private Path real(Path path) {
    return path.getFileSystem() == this ? real.getPath(path.toString()) : path;
  }

  private synchronized int open(Path path) {
    opened.add(path.toString());
    return opened.size() - 1;
  }

  /** How many of {@code count} bytes there is room for in a file; none of a later one than that which filled it. */
  private synchronized int room(int number, int count) throws IOException {
    if (number < file) {
      return count;
    }
    if (number > file || left == 0) {
      throw new IOException(REASON);
    }
    int some = (int) Math.min(left, count);
    left -= some;
    return some;
  }

  @Override
  public FileSystemProvider provider() {
    return provider;
  }

  @Override
  public void close() {}

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public boolean isReadOnly() {
    return false;
  }

  @Override
  public String getSeparator() {
    return real.getSeparator();
  }

  @Override
  public Iterable<Path> getRootDirectories() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Iterable<FileStore> getFileStores() {
    return real.getFileStores();
  }

  @Override
  public Set<String> supportedFileAttributeViews() {
    return real.supportedFileAttributeViews();
  }

  @Override
  public Path getPath(String first, String... more) {
    return on(real.getPath(first, more));
  }

  @Override
  public PathMatcher getPathMatcher(String pattern) {
    PathMatcher matcher = real.getPathMatcher(pattern);
    return path -> matcher.matches(real(path));
  }

  @Override
  public UserPrincipalLookupService getUserPrincipalLookupService() {
    return real.getUserPrincipalLookupService();
  }

  @Override
  public WatchService newWatchService() throws IOException {
    return real.newWatchService();
  }

  /** Passes on all but the bytes that there is no room for. */
  private final class Provider extends FileSystemProvider {
    private final FileSystemProvider to = real.provider();

    @Override
    public String getScheme() {
      return "full";
    }

    @Override
    public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileSystem getFileSystem(URI uri) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Path getPath(URI uri) {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel newFileChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
        throws IOException {
      FileChannel channel = to.newFileChannel(real(path), options, attributes);
      boolean writes = options.contains(StandardOpenOption.WRITE) || options.contains(StandardOpenOption.APPEND);
      return writes ? new Limited(channel, open(path)) : channel;
    }

    @Override
    public SeekableByteChannel newByteChannel(
        Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
      return newFileChannel(path, options, attributes);
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(Path folder, DirectoryStream.Filter<? super Path> filter)
        throws IOException {
      DirectoryStream<Path> inside = to.newDirectoryStream(real(folder), path -> filter.accept(on(path)));
      return new DirectoryStream<>() {
        @Override
        public Iterator<Path> iterator() {
          List<Path> all = new ArrayList<>();
          inside.forEach(path -> all.add(on(path)));
          return all.iterator();
        }

        @Override
        public void close() throws IOException {
          inside.close();
        }
      };
    }

    @Override
    public void createDirectory(Path folder, FileAttribute<?>... attributes) throws IOException {
      to.createDirectory(real(folder), attributes);
    }

    @Override
    public void delete(Path path) throws IOException {
      to.delete(real(path));
    }

    @Override
    public void copy(Path from, Path target, CopyOption... options) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void move(Path from, Path target, CopyOption... options) throws IOException {
      to.move(real(from), real(target), options);
    }

    @Override
    public boolean isSameFile(Path one, Path other) throws IOException {
      return to.isSameFile(real(one), real(other));
    }

    @Override
    public boolean isHidden(Path path) throws IOException {
      return to.isHidden(real(path));
    }

    @Override
    public FileStore getFileStore(Path path) throws IOException {
      return to.getFileStore(real(path));
    }

    @Override
    public void checkAccess(Path path, AccessMode... modes) throws IOException {
      to.checkAccess(real(path), modes);
    }

    @Override
    public <V extends FileAttributeView> @Nullable V getFileAttributeView(
        Path path, Class<V> type, LinkOption... options) {
      return to.getFileAttributeView(real(path), type, options);
    }

    @Override
    public <A extends BasicFileAttributes> A readAttributes(Path path, Class<A> type, LinkOption... options)
        throws IOException {
      return to.readAttributes(real(path), type, options);
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options) throws IOException {
      return to.readAttributes(real(path), attributes, options);
    }

    @Override
    public void setAttribute(Path path, String attribute, Object value, LinkOption... options) throws IOException {
      to.setAttribute(real(path), attribute, value, options);
    }
  }

  /** A file that takes as many bytes as there is room for. */
  private final class Limited extends FileChannel {
    private final FileChannel to;
    private final int number;

    Limited(FileChannel to, int number) {
      this.to = to;
      this.number = number;
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
      int count = room(number, bytes.remaining());
      ByteBuffer some = bytes.slice(bytes.position(), count);
      while (some.hasRemaining()) {
        to.write(some);
      }
      bytes.position(bytes.position() + count);
      return count;
    }

    @Override
    public long write(ByteBuffer[] buffers, int offset, int length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int write(ByteBuffer bytes, long position) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long transferFrom(ReadableByteChannel from, long position, long count) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int read(ByteBuffer bytes) throws IOException {
      return to.read(bytes);
    }

    @Override
    public long read(ByteBuffer[] buffers, int offset, int length) throws IOException {
      return to.read(buffers, offset, length);
    }

    @Override
    public int read(ByteBuffer bytes, long position) throws IOException {
      return to.read(bytes, position);
    }

    @Override
    public long position() throws IOException {
      return to.position();
    }

    @Override
    public FileChannel position(long at) throws IOException {
      to.position(at);
      return this;
    }

    @Override
    public long size() throws IOException {
      return to.size();
    }

    @Override
    public FileChannel truncate(long size) throws IOException {
      to.truncate(size);
      return this;
    }

    @Override
    public void force(boolean metaData) throws IOException {
      to.force(metaData);
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
      return to.transferTo(position, count, target);
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) throws IOException {
      return to.map(mode, position, size);
    }

    @Override
    public MemorySegment map(MapMode mode, long offset, long size, Arena arena) throws IOException {
      return to.map(mode, offset, size, arena);
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) throws IOException {
      return to.lock(position, size, shared);
    }

    @Override
    public @Nullable FileLock tryLock(long position, long size, boolean shared) throws IOException {
      return to.tryLock(position, size, shared);
    }

    @Override
    protected void implCloseChannel() throws IOException {
      to.close();
    }
  }
}
