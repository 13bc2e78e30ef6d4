package dev.fovea.kernels.reference;

import static java.util.Objects.requireNonNull;

import dev.fovea.kernels.Attention;
import dev.fovea.kernels.Attention.Operand;
import dev.fovea.kernels.AttentionKernels;
import dev.fovea.kernels.Span;

/**
 * {@link AttentionKernels} from the definition, one head at a time with its matrices as {@code double[row][column]}.
 */
final class ReferenceAttention implements AttentionKernels {
  @Override
  public void forward(Attention call) {
    Span lse = call.lse();
    for (int b = 0; b < call.batch; b++) {
      for (int h = 0; h < call.heads; h++) {
        double[][] logits = logits(call, b, h);
        double[][] v = head(call, call.v(), b, h, call.keys);
        double[][] o = new double[call.queries][call.headDim];
        for (int i = 0; i < call.queries; i++) {
          double logSum = logSum(logits[i]);
          for (int j = 0; j < logits[i].length; j++) {
            add(o[i], Math.exp(logits[i][j] - logSum), v[j]);
          }
          if (lse != null) {
            Mat.set(lse, ((long) b * call.heads + h) * call.queries + i, logSum);
          }
        }
        store(call, call.o(), b, h, o);
      }
    }
  }

  @Override
  public void backward(Attention call) {
    for (int b = 0; b < call.batch; b++) {
      for (int h = 0; h < call.heads; h++) {
        backward(call, b, h);
      }
    }
  }

  private static void backward(Attention call, int b, int h) {
    double[][] logits = logits(call, b, h);
    double[][] q = head(call, call.q(), b, h, call.queries);
    double[][] k = head(call, call.k(), b, h, call.keys);
    double[][] v = head(call, call.v(), b, h, call.keys);
    double[][] o = head(call, call.o(), b, h, call.queries);
    double[][] dO = head(call, call.dO(), b, h, call.queries);
    double[][] dq = new double[call.queries][call.headDim];
    double[][] dk = new double[call.keys][call.headDim];
    double[][] dv = new double[call.keys][call.headDim];
    for (int i = 0; i < call.queries; i++) {
      for (int j = 0; j < logits[i].length; j++) {
        double p = Math.exp(logits[i][j] - lse(call, b, h, i));
        double ds = p * (dot(dO[i], v[j]) - dot(dO[i], o[i])) * call.scale();
        add(dq[i], ds, k[j]);
        add(dk[j], ds, q[i]);
        add(dv[j], p, dO[i]);
      }
    }
    store(call, call.dq(), b, h, dq);
    store(call, call.dk(), b, h, dk);
    store(call, call.dv(), b, h, dv);
  }

  @Override
  public void weights(Attention call, Span p) {
    for (int b = 0; b < call.batch; b++) {
      for (int h = 0; h < call.heads; h++) {
        double[][] logits = logits(call, b, h);
        for (int i = 0; i < call.queries; i++) {
          long row = ((long) b * call.heads + h) * call.queries + i;
          for (int j = 0; j < call.keys; j++) {
            boolean valid = j < logits[i].length;
            Mat.set(p, row * call.keys + j, valid ? Math.exp(logits[i][j] - lse(call, b, h, i)) : 0);
          }
        }
      }
    }
  }

  /** Of every query with the valid keys. */
  private static double[][] logits(Attention call, int b, int h) {
    Span lengths = call.lengths();
    int valid = lengths == null ? call.keys : (int) Mat.get(lengths, b);
    double[][] q = head(call, call.q(), b, h, call.queries);
    double[][] k = head(call, call.k(), b, h, call.keys);
    double[][] logits = new double[call.queries][valid];
    for (int i = 0; i < call.queries; i++) {
      for (int j = 0; j < valid; j++) {
        logits[i][j] = call.scale() * dot(q[i], k[j]);
      }
    }
    return logits;
  }

  private static double logSum(double[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (double logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (double logit : logits) {
      sum += Math.exp(logit - max);
    }
    return max + Math.log(sum);
  }

  private static double lse(Attention call, int b, int h, int query) {
    return Mat.get(requireNonNull(call.lse()), ((long) b * call.heads + h) * call.queries + query);
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int c = 0; c < a.length; c++) {
      sum += a[c] * b[c];
    }
    return sum;
  }

  private static void add(double[] to, double factor, double[] x) {
    for (int c = 0; c < to.length; c++) {
      to[c] += factor * x[c];
    }
  }

  private static double[][] head(Attention call, Operand m, int b, int h, int rows) {
    double[][] values = new double[rows][call.headDim];
    for (int i = 0; i < rows; i++) {
      for (int c = 0; c < call.headDim; c++) {
        values[i][c] = Mat.get(m.span(), ((long) b * rows + i) * m.ld() + (long) h * call.headDim + c);
      }
    }
    return values;
  }

  private static void store(Attention call, Operand m, int b, int h, double[][] values) {
    for (int i = 0; i < values.length; i++) {
      for (int c = 0; c < call.headDim; c++) {
        Mat.set(m.span(), ((long) b * values.length + i) * m.ld() + (long) h * call.headDim + c, values[i][c]);
      }
    }
  }
}
