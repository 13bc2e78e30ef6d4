package dev.fovea.tensor;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails a test that leaves memory of the default device in use, or a scope open on its thread, and says where they were
 * made. Counts what is in use: neither sampling nor the garbage collector has a part in it. A device of the test's own
 * says the same when the test closes it.
 *
 * <p>Not for tests that run at the same time as others.
 */
public final class NoLeaks implements BeforeEachCallback, AfterEachCallback {
  private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(NoLeaks.class);

  @Override
  public void beforeEach(ExtensionContext context) {
    context.getStore(NAMESPACE).put(Snapshot.class, Snapshot.take());
  }

  @Override
  public void afterEach(ExtensionContext context) {
    context.getStore(NAMESPACE).get(Snapshot.class, Snapshot.class).check();
  }

  /** What was in use before. */
  record Snapshot(Set<Allocation> before) {
    static Snapshot take() {
      Device.cpu().memory().current(); // those of earlier tests that are unreachable leave now
      return new Snapshot(new HashSet<>(MemoryPool.of(Device.cpu()).live()));
    }

    /** Throws if more is in use now; what was left open is closed first, so that the next test begins clean. */
    void check() {
      String open = closeScopes();
      List<Allocation> left = MemoryPool.of(Device.cpu()).live().stream()
          .filter(one -> !before.contains(one))
          .toList();
      if (!open.isEmpty() || !left.isEmpty()) {
        throw new AssertionError(
            "the test leaves" + open + left.stream().map(Snapshot::text).collect(Collectors.joining()));
      }
    }

    private static String closeScopes() {
      var text = new StringBuilder();
      for (Scope scope = Scope.innermost(); scope != null; scope = Scope.innermost()) {
        text.append("\n").append(scope).append(" open");
        scope.close();
      }
      return text.toString();
    }

    private static String text(Allocation one) {
      Origin origin = one.origin();
      return "\n%d bytes (%s) in use, made%s"
          .formatted(one.bytes(), one.label(), origin == null ? " at a place not recorded" : origin.stack());
    }
  }
}
