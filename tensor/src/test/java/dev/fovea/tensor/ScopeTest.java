package dev.fovea.tensor;

import static dev.fovea.tensor.Messages.assertIllegal;
import static dev.fovea.tensor.Messages.assertMessage;
import static dev.fovea.tensor.Messages.assertState;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.fovea.kernels.DType;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(NoLeaks.class)
class ScopeTest {
  private static final String CLOSED = "tensor used after close (made SITE)";

  private static Tensor one() {
    return Tensor.zeros(Shape.of(4), DType.F32);
  }

  @Test
  void closesWhatWasMadeInIt() {
    long before = Device.cpu().memory().current();
    Tensor a;
    Tensor view;
    try (Scope _ = Scope.open()) {
      a = one();
      view = a.reshape(2, 2);
      assertEquals(before + 16, Device.cpu().memory().current());
    }
    assertEquals(before, Device.cpu().memory().current());
    assertState(CLOSED, a::span);
    assertState(CLOSED, view::span);
  }

  @Test
  void resultsBelongToTheInnermostScopeAndNotToAnOperands() {
    try (Scope _ = Scope.open()) {
      Tensor outer = one();
      Tensor view;
      try (Scope _ = Scope.open()) {
        view = outer.narrow(1, 2);
      }
      assertState(CLOSED, view::span);
      assertEquals(4, outer.toFloats().length);
    }
  }

  @Test
  void keepMovesToTheEnclosingScope() {
    Tensor kept;
    Tensor lost;
    try (Scope outer = Scope.open()) {
      try (Scope inner = Scope.open()) {
        lost = one();
        kept = one();
        assertSame(kept, inner.keep(kept));
        assertSame(outer, kept.owner());
      }
      assertState(CLOSED, lost::span);
      assertEquals(4, kept.toFloats().length);
    }
    assertState(CLOSED, kept::span);
  }

  @Test
  void keepAtTheOutermostHandsToTheCaller() {
    List<Tensor> kept;
    try (Scope scope = Scope.open()) {
      one();
      kept = scope.keep(List.of(one(), one()));
      one();
    }
    for (Tensor tensor : kept) {
      assertEquals(4, tensor.toFloats().length);
      tensor.close();
      assertState("tensor closed twice (made SITE)", tensor::close);
    }
  }

  @Test
  void keepLeavesWhatLivesLongerAnyway() {
    Tensor parameter;
    Tensor outermost;
    try (Scope model = Scope.unbound(Device.cpu())) {
      try (Scope outer = Scope.open()) {
        parameter = model.adopt(one());
        Tensor own = one();
        try (Scope _ = Scope.open();
            Scope inner = Scope.open()) {
          assertSame(model, inner.keep(parameter).owner());
          assertSame(outer, inner.keep(own).owner());
        }
        outermost = outer.keep(one());
        try (Scope inner = Scope.open()) {
          assertEquals(null, inner.keep(outermost).owner());
        }
      }
      assertEquals(4, parameter.toFloats().length);
      outermost.close();
      try (Scope scope = Scope.open()) {
        assertState(CLOSED, () -> scope.keep(outermost));
      }
    }
    assertState(CLOSED, parameter::span);
  }

  @Test
  void anOuterScopeKeepsWhatAnInnerOneOwns() {
    Tensor kept;
    try (Scope outer = Scope.open()) {
      try (Scope _ = Scope.open()) {
        kept = outer.keep(one());
      }
    }
    assertEquals(4, kept.toFloats().length);
    kept.close();
  }

  @Test
  void tensorsMayBeClosedBeforeTheirScope() {
    try (Scope _ = Scope.open()) {
      Tensor[] all = {one(), one(), one(), one(), one()};
      all[1].close();
      all[4].close();
      all[0].close();
      assertState("tensor closed twice (made SITE)", all[0]::close);
      assertEquals(4, all[2].toFloats().length);
      assertEquals(4, all[3].toFloats().length);
    }
  }

  @Test
  void needsAScope() {
    assertState(
        "no scope is open on thread main: tensors need one, as in try (Scope scope = Scope.open()) { ... }",
        ScopeTest::one);
    assertThrows(IllegalStateException.class, Scope::current);
  }

  @Test
  void inheritsDeviceAndLabel() {
    try (CpuDevice device = Device.cpu(1);
        Scope outer = Scope.open(device).label("block 3")) {
      assertSame(outer, Scope.current());
      try (Scope inner = Scope.open()) {
        assertSame(inner, Scope.current());
        assertSame(device, inner.device());
        assertSame(device, one().device());
        assertEquals(Map.of("block 3", 16L), device.memory().byLabel());
        inner.label("attention");
        one();
        one();
        assertEquals("{attention=32, block 3=16}", device.memory().byLabel().toString());
      }
      assertSame(outer, Scope.current());
    }
  }

  @Test
  void closingTooEarlyClosesTheInnerScopesAndThrows() {
    Scope outer = Scope.open();
    Scope inner = Scope.open();
    Tensor tensor = one();
    assertState("scope (opened SITE) closed before a scope inside it (opened SITE)", outer::close);
    assertState(CLOSED, tensor::span);
    assertState("scope closed twice (opened SITE)", outer::close);
    assertState("scope closed twice (opened SITE)", inner::close);
    assertState("scope used after close (opened SITE)", () -> outer.keep(tensor));
    assertThrows(IllegalStateException.class, Scope::current);
  }

  @Test
  void belongsToItsThread() throws InterruptedException {
    try (Scope scope = Scope.open()) {
      Tensor tensor = one();
      AtomicReference<Throwable> failure = new AtomicReference<>();
      Thread.ofPlatform()
          .name("other")
          .start(() -> {
            try {
              String where = "scope of thread main (opened SITE) %s by thread other (SITE)";
              assertMessage(WrongThreadException.class, where.formatted("closed"), () -> scope.close());
              assertMessage(WrongThreadException.class, where.formatted("used"), () -> scope.keep(tensor));
              try (Scope own = Scope.open()) {
                assertMessage(WrongThreadException.class, where.formatted("used"), () -> own.adopt(tensor));
                assertMessage(WrongThreadException.class, where.formatted("used"), () -> own.keep(tensor));
                assertEquals(4, tensor.toFloats().length);
              }
            } catch (Throwable e) {
              failure.set(e);
            }
          })
          .join();
      assertEquals(null, failure.get());
    }
  }

  @Test
  void unboundIsClosedByAnyThreadOnce() throws InterruptedException {
    Scope model = Scope.unbound(Device.cpu());
    Tensor weight;
    try (Scope _ = Scope.open()) {
      weight = model.adopt(one());
      assertSame(weight, model.adopt(weight));
    }
    assertArrayEquals(new float[4], weight.toFloats());
    Thread.ofVirtual().start(model::close).join();
    assertState(CLOSED, weight::span);
    assertState("scope closed twice (opened SITE)", model::close);
    try (Scope _ = Scope.open()) {
      assertState("scope used after close (opened SITE)", () -> model.adopt(one()));
    }
  }

  @Test
  void adoptsFromTheCallerToo() {
    Tensor tensor;
    try (Scope scope = Scope.open()) {
      tensor = scope.keep(one());
    }
    try (Scope scope = Scope.open()) {
      assertSame(scope, scope.adopt(tensor).owner());
    }
    assertState(CLOSED, tensor::span);
  }

  @Test
  void adoptsFromItsDeviceOnly() {
    try (CpuDevice device = Device.cpu(1);
        Scope _ = Scope.open();
        Scope model = Scope.unbound(device)) {
      assertIllegal(
          "tensor: got one on cpu, expected one on " + device.name() + " as the scope", () -> model.adopt(one()));
    }
  }
}
