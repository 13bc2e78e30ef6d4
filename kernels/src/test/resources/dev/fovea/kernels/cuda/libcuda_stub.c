/*
 * A libcuda.so.1 without a GPU: device memory is host memory, kernels do nothing, everything that is called is written
 * down, and any call can be made to fail. Compiled by StubLibrary with: cc -shared -fPIC -Wl,-soname,libcuda.so.1
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int CUresult;
typedef struct { char name[64]; } Function;
typedef struct { int launches; int capturing; } Stream;
typedef struct { int launches; } Graph;
typedef struct { int recorded; } Event;
typedef struct { const char *image; } Module;
typedef struct { size_t bytes; uint64_t magic; } Header;

enum { INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_CONTEXT = 201, NOT_FOUND = 500, UPDATE_FAILURE = 910 };
enum { HEADER = 256, DEVICES = 4 };
#define MAGIC 0x666f766561ull

/* What a test sets. */
static int version = 13000, devices = 2, major = 9, minor = 0, pools = 1, logging = 1, sticky = 0, lost_by = 0;
static size_t total = 1ull << 30, used = 0, pooled = 0;
static char fail_function[64];
static int fail_code = 0, fail_after = 0;

static char text[1 << 20];
static size_t length = 0;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread int current = -1; /* device of the current context */

static void note(const char *format, ...) {
  if (!logging) return;
  pthread_mutex_lock(&lock);
  va_list arguments;
  va_start(arguments, format);
  if (length < sizeof text - 512) length += vsnprintf(text + length, 512, format, arguments);
  va_end(arguments);
  pthread_mutex_unlock(&lock);
}

static int failing(const char *function) {
  if (sticky) return sticky;
  if (fail_code && strcmp(function, fail_function) == 0 && fail_after-- == 0) {
    int code = fail_code;
    fail_code = 0;
    return code;
  }
  return 0;
}

#define ENTER() do { int e = failing(__func__); if (e) return e; } while (0)
#define ENTER_CONTEXT() do { ENTER(); if (current < 0) return INVALID_CONTEXT; } while (0)

/* For tests. */
const char *stub_log(void) { return text; }
void stub_fail(const char *function, int code, int after) {
  strncpy(fail_function, function, sizeof fail_function - 1);
  fail_code = code;
  fail_after = after;
}
void stub_set(const char *name, int64_t value) {
  if (!strcmp(name, "version")) version = value;
  else if (!strcmp(name, "devices")) devices = value;
  else if (!strcmp(name, "major")) major = value;
  else if (!strcmp(name, "minor")) minor = value;
  else if (!strcmp(name, "pools")) pools = value;
  else if (!strcmp(name, "logging")) logging = value;
  else if (!strcmp(name, "total")) total = value;
  else if (!strcmp(name, "sticky")) sticky = value;
  else if (!strcmp(name, "lost_by")) lost_by = value; /* the kernel launched then breaks the device */
}
void stub_reset(void) {
  version = 13000, devices = 2, major = 9, minor = 0, pools = 1, logging = 1, sticky = 0, lost_by = 0;
  total = 1ull << 30, used = 0, pooled = 0, fail_code = 0, length = 0;
  text[0] = 0;
}
int64_t stub_used(void) { return used; }

/* The driver. */
CUresult cuInit(unsigned flags) { (void)flags; ENTER(); return devices ? 0 : 100; }
CUresult cuDriverGetVersion(int *v) { *v = version; return 0; }
CUresult cuDeviceGetCount(int *n) { ENTER(); *n = devices; return 0; }
CUresult cuDeviceGet(int *device, int ordinal) { ENTER(); *device = ordinal; return 0; }
CUresult cuDeviceGetName(char *name, int n, int device) { ENTER(); snprintf(name, n, "Stub %d", device); return 0; }
CUresult cuDeviceTotalMem_v2(size_t *bytes, int device) { (void)device; ENTER(); *bytes = total; return 0; }
CUresult cuDeviceGetAttribute(int *value, int attribute, int device) {
  (void)device;
  ENTER();
  switch (attribute) {
    case 75: *value = major; break;
    case 76: *value = minor; break;
    case 16: *value = 132; break;
    case 97: *value = 232448; break;
    case 81: *value = 233472; break;
    case 38: *value = 50 << 20; break;
    case 115: *value = pools; break;
    default: *value = 0;
  }
  return 0;
}
CUresult cuDevicePrimaryCtxRetain(void **context, int device) {
  ENTER();
  note("retain %d\n", device);
  *context = (void *)(intptr_t)(device + 1);
  return 0;
}
CUresult cuDevicePrimaryCtxRelease_v2(int device) { note("release %d\n", device); return 0; }
CUresult cuCtxSetCurrent(void *context) { current = (int)(intptr_t)context - 1; return 0; }
CUresult cuCtxSynchronize(void) { ENTER_CONTEXT(); return 0; }
CUresult cuMemGetInfo_v2(size_t *f, size_t *t) { ENTER_CONTEXT(); *f = total - used - pooled; *t = total; return 0; }
CUresult cuGetErrorName(int error, const char **name) {
  switch (error) {
    case 1: *name = "CUDA_ERROR_INVALID_VALUE"; return 0;
    case 2: *name = "CUDA_ERROR_OUT_OF_MEMORY"; return 0;
    case 46: *name = "CUDA_ERROR_DEVICE_UNAVAILABLE"; return 0;
    case 100: *name = "CUDA_ERROR_NO_DEVICE"; return 0;
    case 201: *name = "CUDA_ERROR_INVALID_CONTEXT"; return 0;
    case 222: *name = "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"; return 0;
    case 500: *name = "CUDA_ERROR_NOT_FOUND"; return 0;
    case 700: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; return 0;
    case 701: *name = "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"; return 0;
    case 803: *name = "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"; return 0;
    default: *name = NULL; return INVALID_VALUE;
  }
}
CUresult cuGetErrorString(int error, const char **string) {
  *string = error == 700 ? "an illegal memory access was encountered" : "as the stub was told";
  return 0;
}

static CUresult take(void **address, size_t bytes) {
  if (used + pooled + bytes > total) return OUT_OF_MEMORY;
  char *base = aligned_alloc(HEADER, HEADER + (bytes + HEADER - 1) / HEADER * HEADER);
  ((Header *)base)->bytes = bytes;
  ((Header *)base)->magic = MAGIC;
  used += bytes;
  *address = base + HEADER;
  return 0;
}
static size_t give(void *address) {
  Header *header = (Header *)((char *)address - HEADER);
  if (header->magic != MAGIC) return 0;
  size_t bytes = header->bytes;
  header->magic = 0;
  used -= bytes;
  free(header);
  return bytes;
}
CUresult cuMemAllocAsync(void **address, size_t bytes, Stream *stream) {
  (void)stream;
  ENTER_CONTEXT();
  pthread_mutex_lock(&lock);
  CUresult result = take(address, bytes);
  pthread_mutex_unlock(&lock);
  note("allocate %zu -> %d\n", bytes, result);
  return result;
}
CUresult cuMemFreeAsync(void *address, Stream *stream) {
  (void)stream;
  ENTER_CONTEXT();
  pthread_mutex_lock(&lock);
  size_t bytes = give(address);
  pooled += bytes;
  pthread_mutex_unlock(&lock);
  note("free %zu\n", bytes);
  return bytes ? 0 : INVALID_VALUE;
}
CUresult cuMemAlloc_v2(void **address, size_t bytes) {
  ENTER_CONTEXT();
  note("allocate now %zu\n", bytes);
  return take(address, bytes);
}
CUresult cuMemFree_v2(void *address) { ENTER_CONTEXT(); note("free now\n"); return give(address) ? 0 : INVALID_VALUE; }
CUresult cuDeviceGetDefaultMemPool(void **pool, int device) { *pool = (void *)(intptr_t)(device + 100); return 0; }
CUresult cuMemPoolSetAttribute(void *pool, int attribute, void *value) {
  note("pool %d attribute %d = %llx\n", (int)(intptr_t)pool, attribute, (unsigned long long)*(uint64_t *)value);
  return 0;
}
CUresult cuMemPoolTrimTo(void *pool, size_t keep) {
  (void)pool;
  ENTER_CONTEXT();
  note("trim to %zu\n", keep);
  pooled = 0;
  return 0;
}
CUresult cuMemHostAlloc(void **address, size_t bytes, unsigned flags) {
  ENTER_CONTEXT();
  note("pin %zu %u\n", bytes, flags);
  *address = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  return 0;
}
CUresult cuMemFreeHost(void *address) { ENTER_CONTEXT(); note("unpin\n"); free(address); return 0; }
CUresult cuMemcpyHtoDAsync_v2(void *to, const void *from, size_t bytes, Stream *stream) {
  (void)stream;
  ENTER_CONTEXT();
  note("to device %zu\n", bytes);
  memcpy(to, from, bytes);
  return 0;
}
CUresult cuMemcpyDtoHAsync_v2(void *to, const void *from, size_t bytes, Stream *stream) {
  (void)stream;
  ENTER_CONTEXT();
  note("to host %zu\n", bytes);
  memcpy(to, from, bytes);
  return 0;
}
CUresult cuMemcpyDtoDAsync_v2(void *to, const void *from, size_t bytes, Stream *stream) {
  (void)stream;
  ENTER_CONTEXT();
  note("copy %zu\n", bytes);
  memmove(to, from, bytes);
  return 0;
}
CUresult cuMemsetD8Async(void *to, unsigned char value, size_t bytes, Stream *stream) {
  (void)stream;
  ENTER_CONTEXT();
  note("fill %d x %zu\n", value, bytes);
  memset(to, value, bytes);
  return 0;
}

CUresult cuStreamCreate(Stream **stream, unsigned flags) {
  ENTER_CONTEXT();
  note("stream flags %u\n", flags);
  *stream = calloc(1, sizeof **stream);
  return 0;
}
CUresult cuStreamDestroy_v2(Stream *stream) { ENTER_CONTEXT(); note("end of stream\n"); free(stream); return 0; }
CUresult cuStreamSynchronize(Stream *stream) { (void)stream; ENTER_CONTEXT(); note("synchronize\n"); return 0; }
CUresult cuEventCreate(Event **event, unsigned flags) {
  ENTER_CONTEXT();
  note("event flags %u\n", flags);
  *event = calloc(1, sizeof **event);
  return 0;
}
CUresult cuEventDestroy_v2(Event *event) { ENTER_CONTEXT(); free(event); return 0; }
CUresult cuEventRecord(Event *event, Stream *stream) {
  (void)stream;
  ENTER_CONTEXT();
  event->recorded++;
  note("record\n");
  return 0;
}
CUresult cuEventSynchronize(Event *event) { ENTER_CONTEXT(); note("event\n"); return event->recorded ? 0 : INVALID_VALUE; }
CUresult cuStreamWaitEvent(Stream *stream, Event *event, unsigned flags) {
  (void)stream, (void)event;
  ENTER_CONTEXT();
  note("await flags %u\n", flags);
  return 0;
}
CUresult cuEventElapsedTime(float *millis, Event *from, Event *to) {
  ENTER_CONTEXT();
  *millis = from->recorded + 10 * to->recorded;
  return 0;
}

CUresult cuModuleLoadDataEx(Module **module, const void *image, unsigned n, int *options, void **values) {
  (void)options, (void)values;
  ENTER_CONTEXT();
  note("load %08x options %u\n", *(const uint32_t *)image, n);
  *module = calloc(1, sizeof **module);
  return 0;
}
CUresult cuModuleLoadData(Module **module, const void *image) {
  (void)image;
  ENTER_CONTEXT();
  *module = calloc(1, sizeof **module);
  return 0;
}
CUresult cuModuleUnload(Module *module) { ENTER_CONTEXT(); note("unload\n"); free(module); return 0; }
CUresult cuModuleGetFunction(Function **function, Module *module, const char *name) {
  (void)module;
  ENTER_CONTEXT();
  if (strstr(name, "missing")) return NOT_FOUND;
  *function = calloc(1, sizeof **function);
  strncpy((*function)->name, name, sizeof(*function)->name - 1);
  note("function %s\n", name);
  return 0;
}
CUresult cuFuncGetAttribute(int *value, int attribute, Function *function) {
  (void)function;
  ENTER_CONTEXT();
  *value = attribute == 0 ? 1024 : 10 * attribute;
  return 0;
}
CUresult cuFuncSetAttribute(Function *function, int attribute, int value) {
  ENTER_CONTEXT();
  note("attribute %d of %s = %d\n", attribute, function->name, value);
  return value <= 232448 ? 0 : INVALID_VALUE;
}

typedef struct { int id; int pad; unsigned value[16]; } Attribute;
typedef struct {
  unsigned grid[3], block[3], shared;
  Stream *stream;
  Attribute *attributes;
  unsigned count;
} Config;
_Static_assert(sizeof(Config) == 56 && sizeof(Attribute) == 72, "layout of cuda.h");

CUresult cuLaunchKernelEx(const Config *c, Function *function, void **parameters, void **extra) {
  ENTER_CONTEXT();
  if (extra || !c->block[0]) return INVALID_VALUE;
  if (c->stream && c->stream->capturing) c->stream->launches++;
  if (logging) {
    char more[256] = "";
    int at = 0;
    for (unsigned i = 0; i < c->count; i++) {
      const Attribute *a = &c->attributes[i];
      at += snprintf(more + at, sizeof more - at, " [%d: %u %u %u]", a->id, a->value[0], a->value[1], a->value[2]);
    }
    if (parameters) {
      const int64_t *words = parameters[0];
      snprintf(more + at, sizeof more - at, " (%lld %lld %lld)", (long long)words[0], (long long)words[1], (long long)words[2]);
    }
    note("launch %s on %d: %u,%u,%u x %u,%u,%u shared %u%s\n", function->name, current, c->grid[0], c->grid[1], c->grid[2],
         c->block[0], c->block[1], c->block[2], c->shared, more);
  }
  if (lost_by && --lost_by == 0) sticky = 700;
  return 0;
}

/* For the benchmark of what others launch with. */
CUresult cuLaunchKernel(Function *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                        unsigned shared, Stream *stream, void **parameters, void **extra) {
  (void)gx, (void)gy, (void)gz, (void)bx, (void)by, (void)bz, (void)shared, (void)stream, (void)extra;
  ENTER_CONTEXT();
  return function && parameters && *(int64_t *)parameters[0] >= 0 ? 0 : INVALID_VALUE;
}

CUresult cuStreamBeginCapture_v2(Stream *stream, int mode) {
  ENTER_CONTEXT();
  note("capture mode %d\n", mode);
  stream->capturing = 1;
  stream->launches = 0;
  return 0;
}
CUresult cuStreamEndCapture(Stream *stream, Graph **graph) {
  ENTER_CONTEXT();
  stream->capturing = 0;
  *graph = calloc(1, sizeof **graph);
  (*graph)->launches = stream->launches;
  note("captured %d\n", stream->launches);
  return 0;
}
CUresult cuGraphInstantiateWithFlags(Graph **executable, Graph *graph, uint64_t flags) {
  (void)flags;
  ENTER_CONTEXT();
  *executable = calloc(1, sizeof **executable);
  **executable = *graph;
  note("instantiate\n");
  return 0;
}
CUresult cuGraphExecUpdate_v2(Graph *executable, Graph *graph, void *result) {
  (void)result;
  ENTER_CONTEXT();
  note("update\n");
  return executable->launches == graph->launches ? 0 : UPDATE_FAILURE;
}
CUresult cuGraphLaunch(Graph *executable, Stream *stream) {
  (void)stream;
  ENTER_CONTEXT();
  note("graph of %d\n", executable->launches);
  return 0;
}
CUresult cuGraphDestroy(Graph *graph) { free(graph); note("end of graph\n"); return 0; }
CUresult cuGraphExecDestroy(Graph *graph) { free(graph); note("end of executable\n"); return 0; }
