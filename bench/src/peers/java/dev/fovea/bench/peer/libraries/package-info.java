/** Peers whose artifacts only the Maven profile {@code peers} fetches, and with it compiles this package. */
@NullMarked
package dev.fovea.bench.peer.libraries;

import org.jspecify.annotations.NullMarked;
