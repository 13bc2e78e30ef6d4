package dev.fovea.vit.data;

/** The ten textures of {@link Shapes}: how much of the second colour a pixel has. */
enum Texture {
  PLAIN {
    @Override
    float at(float x, float y) {
      return 0;
    }
  },
  ROWS {
    @Override
    float at(float x, float y) {
      return wave(y);
    }
  },
  COLUMNS {
    @Override
    float at(float x, float y) {
      return wave(x);
    }
  },
  RISING {
    @Override
    float at(float x, float y) {
      return wave(0.71f * (x + y));
    }
  },
  FALLING {
    @Override
    float at(float x, float y) {
      return wave(0.71f * (x - y));
    }
  },
  CHECKS {
    @Override
    float at(float x, float y) {
      return ((int) Math.floor(2 * x) + (int) Math.floor(2 * y) & 1) == 0 ? 0 : 1;
    }
  },
  DOTS {
    @Override
    float at(float x, float y) {
      float dx = x - (float) Math.floor(x) - 0.5f;
      float dy = y - (float) Math.floor(y) - 0.5f;
      return dx * dx + dy * dy < 0.09f ? 1 : 0;
    }
  },
  GRID {
    @Override
    float at(float x, float y) {
      return Math.max(wave(x), wave(y)) > 0.9f ? 1 : 0;
    }
  },
  CIRCLES {
    @Override
    float at(float x, float y) {
      return wave((float) Math.sqrt(x * x + y * y));
    }
  },
  SPECKLES {
    @Override
    float at(float x, float y) {
      long cell = (long) Math.floor(2 * x) << 32 ^ (long) Math.floor(2 * y) & 0xFFFFFFFFL;
      return (RandomStream.mix(cell) & 1) == 0 ? 0 : 1;
    }
  };

  /** In 0 to 1; x and y in periods. */
  abstract float at(float x, float y);

  /** A triangle wave of period 1. */
  private static float wave(float t) {
    float phase = t - (float) Math.floor(t);
    return Math.abs(2 * phase - 1);
  }
}
