package dev.fovea.vit.data;

/** The ten shapes of {@link Shapes}, as distances to their outline. */
enum Outline {
  CIRCLE {
    @Override
    float distance(float x, float y) {
      return length(x, y) - 0.88f;
    }
  },
  SQUARE {
    @Override
    float distance(float x, float y) {
      return Math.max(Math.abs(x), Math.abs(y)) - 0.78f;
    }
  },
  TRIANGLE {
    @Override
    float distance(float x, float y) {
      return Math.max(y - 0.62f, 0.86f * Math.abs(x) - 0.51f * y - 0.48f);
    }
  },
  STAR {
    @Override
    float distance(float x, float y) {
      double turn = StrictMath.atan2(x, -y) / (2 * Math.PI / 5);
      double off = Math.abs(turn - Math.rint(turn)) * (2 * Math.PI / 5);
      double radius = StrictMath.hypot(x, y);
      double along = radius * StrictMath.cos(off);
      double across = radius * StrictMath.sin(off);
      return (float) (0.42 * along + 0.91 * across - 0.42);
    }
  },
  PLUS {
    @Override
    float distance(float x, float y) {
      float a = Math.max(Math.abs(x) - 0.28f, Math.abs(y) - 0.94f);
      float b = Math.max(Math.abs(x) - 0.94f, Math.abs(y) - 0.28f);
      return Math.min(a, b);
    }
  },
  RING {
    @Override
    float distance(float x, float y) {
      return Math.abs(length(x, y) - 0.7f) - 0.22f;
    }
  },
  CRESCENT {
    @Override
    float distance(float x, float y) {
      return Math.max(length(x, y) - 0.94f, 0.78f - length(x - 0.45f, y));
    }
  },
  HEART {
    @Override
    float distance(float x, float y) {
      float lobes = length(Math.abs(x) - 0.4f, y + 0.35f) - 0.48f;
      float tip = Math.max(-0.35f - y, 0.76f * Math.abs(x) + 0.65f * y - 0.6f);
      return Math.min(lobes, tip);
    }
  },
  HOURGLASS {
    @Override
    float distance(float x, float y) {
      return Math.max(Math.abs(y) - 0.86f, 0.74f * Math.abs(x) - 0.67f * Math.abs(y) - 0.06f);
    }
  },
  ARROW {
    @Override
    float distance(float x, float y) {
      float shaft = Math.max(Math.abs(y) - 0.2f, Math.abs(x + 0.35f) - 0.6f);
      float head = Math.max(0.02f - x, 0.66f * Math.abs(y) + 0.75f * x - 0.71f);
      return Math.min(shaft, head);
    }
  };

  /** To the outline of a shape of radius 1 around the origin, negative inside; y points down. */
  abstract float distance(float x, float y);

  private static float length(float x, float y) {
    return (float) Math.sqrt(x * x + y * y);
  }
}
