package dev.fovea.bench.peer;

import dev.fovea.bench.report.Answers;
import dev.fovea.bench.report.Unavailable;
import dev.fovea.kernels.KernelSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/** Finds peers, and lets none be timed that computes something else. */
public final class Peers {
  /** Those of the Maven profile, whose classes are not there without it. */
  private static final List<String> COMPILED_WITH_PROFILE = List.of("djl", "nd4j");

  private Peers() {}

  /**
   * Loads a library.
   *
   * @param by its name, and behind a colon an option
   * @param threads to compute with
   * @throws Unavailable if it is not on this machine, with the reason
   */
  public static Peer open(String by, int threads) {
    int colon = by.indexOf(':');
    String name = colon < 0 ? by : by.substring(0, colon);
    String option = colon < 0 ? "" : by.substring(colon + 1);
    if (!supported()) {
      throw new Unavailable("%s: its libraries are fetched for Linux on x86-64 only, this is %s on %s"
          .formatted(name, System.getProperty("os.name"), System.getProperty("os.arch")));
    }
    try {
      return provider(name).open(option, threads);
    } catch (LinkageError | ServiceConfigurationError e) {
      throw new Unavailable("%s is not on the class path, or does not load here: %s".formatted(name, rootOf(e)), e);
    }
  }

  private static boolean supported() {
    return System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux")
        && System.getProperty("os.arch").equals("amd64");
  }

  private static Peer.Provider provider(String name) {
    boolean withProfile = COMPILED_WITH_PROFILE.contains(name);
    Stream<Peer.Provider> known = withProfile
        ? ServiceLoader.load(Peer.Provider.class).stream().map(ServiceLoader.Provider::get)
        : BlasPeer.providers();
    return known
        .filter(provider -> provider.name().equals(name))
        .findFirst()
        .orElseThrow(() -> withProfile
            ? new Unavailable(name + " is not here: build with -Ppeers")
            : new IllegalArgumentException("by: got %s, expected fovea, openblas, mkl, djl or nd4j".formatted(name)));
  }

  private static String rootOf(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return Objects.toString(root.getMessage(), root.toString());
  }

  /**
   * Work that a peer is ready to do, after it has done it once and come to the same as our kernels.
   *
   * @param by who, for messages
   * @throws Unavailable if it has no such operation
   * @throws Answers.WrongAnswer if it computes something else
   */
  public static Peer.Call checked(String by, Peer peer, Work work, KernelSet kernels) {
    Peer.Call call = peer.prepare(work);
    work.ours().on(kernels);
    call.run();
    Answers.check(by, call.answer(), work.output().values(), work.operation().tolerance());
    return call;
  }
}
