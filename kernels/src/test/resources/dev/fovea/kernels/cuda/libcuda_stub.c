/*
 * A libcuda.so.1 without a GPU: device memory is host memory, kernels do nothing, everything that is called is written
 * down, and any call can be made to fail. What the real one refuses is refused here: handles of another device's
 * context, contexts that were let go, more shared memory than was allowed, waiting while a graph is recorded, and so
 * on. Compiled by StubLibrary with: cc -shared -fPIC -Wl,-soname,libcuda.so.1
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int CUresult;
typedef struct { char name[64]; int device; unsigned most_shared; } Function;
typedef struct { int launches, capturing, lost, mode, device; } Stream;
typedef struct { int launches; } Graph;
typedef struct { int recorded, captured, device; } Event;
typedef struct { int device; } Module;
typedef struct { size_t bytes; uint64_t magic; } Header;

enum { INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_CONTEXT = 201, INVALID_HANDLE = 400, ILLEGAL_STATE = 401 };
enum { NOT_FOUND = 500, CAPTURE_UNSUPPORTED = 900, CAPTURE_INVALIDATED = 901, CAPTURE_ISOLATION = 905 };
enum { CAPTURED_EVENT = 907, UPDATE_FAILURE = 910, RELAXED = 2, SHARED_UNASKED = 48 << 10 };
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
static int retained[DEVICES];      /* how often each primary context is held; not reset, as it outlives a test */
static Stream *recorded = NULL;    /* the stream whose work becomes a graph */

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
#define ENTER_CONTEXT() do { ENTER(); if (current < 0 || !retained[current]) return INVALID_CONTEXT; } while (0)
/* Of a handle that belongs to a context: it must be the current one. */
#define ENTER_WITH(handle) do { ENTER_CONTEXT(); if ((handle)->device != current) return INVALID_HANDLE; } while (0)
#define ENTER_STREAM(s) do { ENTER_CONTEXT(); if ((s) && (s)->device != current) return INVALID_HANDLE; } while (0)
/* Of what may wait for the device: not while anybody records, unless in relaxed mode. */
#define ENTER_UNSAFE() do { ENTER_CONTEXT(); if (recorded && recorded->mode != RELAXED) return lose(recorded); } while (0)

/* Waiting for work that is only recorded: the driver refuses, and the recording is lost. */
static CUresult lose(Stream *stream) {
  stream->lost = 1;
  return CAPTURE_UNSUPPORTED;
}

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
  total = 1ull << 30, used = 0, pooled = 0, fail_code = 0, length = 0, recorded = NULL;
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
  __atomic_add_fetch(&retained[device], 1, __ATOMIC_RELAXED);
  return 0;
}
CUresult cuDevicePrimaryCtxRelease_v2(int device) {
  note("release %d\n", device);
  if (!retained[device]) return INVALID_CONTEXT;
  __atomic_sub_fetch(&retained[device], 1, __ATOMIC_RELAXED);
  return 0;
}
CUresult cuCtxSetCurrent(void *context) {
  int device = (int)(intptr_t)context - 1;
  if (device >= 0 && !retained[device]) return INVALID_CONTEXT;
  current = device;
  return 0;
}
CUresult cuCtxSynchronize(void) {
  ENTER_CONTEXT();
  return recorded && recorded->device == current ? lose(recorded) : 0;
}
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
    case 721: *name = "CUDA_ERROR_TENSOR_MEMORY_LEAK"; return 0;
    case 803: *name = "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"; return 0;
    case 900: *name = "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"; return 0;
    case 901: *name = "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"; return 0;
    case 905: *name = "CUDA_ERROR_STREAM_CAPTURE_ISOLATION"; return 0;
    default: *name = NULL; return INVALID_VALUE;
  }
}
CUresult cuGetErrorString(int error, const char **string) {
  *string = error == 700 ? "an illegal memory access was encountered" : "as the stub was told";
  return 0;
}

static CUresult take(void **address, size_t bytes) {
  if (!bytes) return INVALID_VALUE;
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
/* On a stream that is recorded this is possible, but the memory would be the graph's: nobody here wants that. */
CUresult cuMemAllocAsync(void **address, size_t bytes, Stream *stream) {
  ENTER_STREAM(stream);
  if (stream && stream->capturing) return lose(stream);
  pthread_mutex_lock(&lock);
  CUresult result = take(address, bytes);
  pthread_mutex_unlock(&lock);
  note("allocate %zu -> %d\n", bytes, result);
  return result;
}
CUresult cuMemFreeAsync(void *address, Stream *stream) {
  ENTER_STREAM(stream);
  if (stream && stream->capturing) return lose(stream);
  pthread_mutex_lock(&lock);
  size_t bytes = give(address);
  pooled += bytes;
  pthread_mutex_unlock(&lock);
  note("free %zu\n", bytes);
  return bytes ? 0 : INVALID_VALUE;
}
CUresult cuMemAlloc_v2(void **address, size_t bytes) {
  ENTER_UNSAFE();
  note("allocate now %zu\n", bytes);
  return take(address, bytes);
}
CUresult cuMemFree_v2(void *address) { ENTER_UNSAFE(); note("free now\n"); return give(address) ? 0 : INVALID_VALUE; }
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
  ENTER_UNSAFE();
  if (!bytes) return INVALID_VALUE;
  note("pin %zu %u\n", bytes, flags);
  *address = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  return 0;
}
CUresult cuMemFreeHost(void *address) { ENTER_UNSAFE(); note("unpin\n"); free(address); return 0; }
CUresult cuMemcpyHtoDAsync_v2(void *to, const void *from, size_t bytes, Stream *stream) {
  ENTER_STREAM(stream);
  note("to device %zu\n", bytes);
  memcpy(to, from, bytes);
  return 0;
}
CUresult cuMemcpyDtoHAsync_v2(void *to, const void *from, size_t bytes, Stream *stream) {
  ENTER_STREAM(stream);
  note("to host %zu\n", bytes);
  memcpy(to, from, bytes);
  return 0;
}
CUresult cuMemcpyDtoDAsync_v2(void *to, const void *from, size_t bytes, Stream *stream) {
  ENTER_STREAM(stream);
  note("copy %zu\n", bytes);
  memmove(to, from, bytes);
  return 0;
}
CUresult cuMemsetD8Async(void *to, unsigned char value, size_t bytes, Stream *stream) {
  ENTER_STREAM(stream);
  note("fill %d x %zu\n", value, bytes);
  memset(to, value, bytes);
  return 0;
}

CUresult cuStreamCreate(Stream **stream, unsigned flags) {
  ENTER_CONTEXT();
  note("stream flags %u\n", flags);
  *stream = calloc(1, sizeof **stream);
  (*stream)->device = current;
  return 0;
}
CUresult cuStreamDestroy_v2(Stream *stream) { ENTER_WITH(stream); note("end of stream\n"); free(stream); return 0; }
CUresult cuStreamSynchronize(Stream *stream) {
  ENTER_STREAM(stream);
  note("synchronize\n");
  return stream && stream->capturing ? lose(stream) : 0;
}
CUresult cuEventCreate(Event **event, unsigned flags) {
  ENTER_CONTEXT();
  note("event flags %u\n", flags);
  *event = calloc(1, sizeof **event);
  (*event)->device = current;
  return 0;
}
CUresult cuEventDestroy_v2(Event *event) { ENTER_WITH(event); free(event); return 0; }
CUresult cuEventRecord(Event *event, Stream *stream) {
  ENTER_STREAM(stream);
  if (event->device != current) return INVALID_HANDLE;
  event->recorded++;
  event->captured = stream && stream->capturing;
  note("record\n");
  return 0;
}
CUresult cuEventSynchronize(Event *event) {
  ENTER_CONTEXT();
  note("event\n");
  return event->captured ? CAPTURED_EVENT : event->recorded ? 0 : INVALID_VALUE;
}
/* What is recorded cannot wait for what is not. */
CUresult cuStreamWaitEvent(Stream *stream, Event *event, unsigned flags) {
  ENTER_STREAM(stream);
  note("await flags %u\n", flags);
  if (stream && stream->capturing && !event->captured) return lose(stream), CAPTURE_ISOLATION;
  return 0;
}
CUresult cuEventElapsedTime(float *millis, Event *from, Event *to) {
  ENTER_WITH(from);
  if (!from->recorded || !to->recorded || from->captured || to->captured) return INVALID_HANDLE;
  *millis = from->recorded + 10 * to->recorded;
  return 0;
}

CUresult cuModuleLoadDataEx(Module **module, const void *image, unsigned n, int *options, void **values) {
  (void)options, (void)values;
  ENTER_UNSAFE();
  note("load %08x options %u\n", *(const uint32_t *)image, n);
  *module = calloc(1, sizeof **module);
  (*module)->device = current;
  return 0;
}
CUresult cuModuleLoadData(Module **module, const void *image) {
  (void)image;
  ENTER_UNSAFE();
  *module = calloc(1, sizeof **module);
  (*module)->device = current;
  return 0;
}
CUresult cuModuleUnload(Module *module) { ENTER_WITH(module); note("unload\n"); free(module); return 0; }
CUresult cuModuleGetFunction(Function **function, Module *module, const char *name) {
  ENTER_WITH(module);
  if (strstr(name, "missing")) return NOT_FOUND;
  *function = calloc(1, sizeof **function);
  strncpy((*function)->name, name, sizeof(*function)->name - 1);
  (*function)->device = current;
  (*function)->most_shared = SHARED_UNASKED;
  note("function %s\n", name);
  return 0;
}
CUresult cuFuncGetAttribute(int *value, int attribute, Function *function) {
  ENTER_WITH(function);
  *value = attribute == 0 ? 1024 : 10 * attribute;
  return 0;
}
CUresult cuFuncSetAttribute(Function *function, int attribute, int value) {
  ENTER_WITH(function);
  note("attribute %d of %s = %d\n", attribute, function->name, value);
  if (value > 232448) return INVALID_VALUE;
  if (attribute == 8) function->most_shared = value;
  return 0;
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
  ENTER_WITH(function);
  if (c->stream && c->stream->device != current) return INVALID_HANDLE;
  unsigned most = function->most_shared > SHARED_UNASKED ? function->most_shared : SHARED_UNASKED;
  uint64_t threads = (uint64_t)c->block[0] * c->block[1] * c->block[2];
  if (extra || !c->grid[0] || !c->grid[1] || !c->grid[2]) return INVALID_VALUE;
  if (!threads || threads > 1024 || c->shared > most) return INVALID_VALUE;
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

/* Writes down what it was told instead of what the driver makes of it. */
CUresult cuTensorMapEncodeTiled(void *map, int type, unsigned rank, void *address, const uint64_t *sizes,
                                const uint64_t *strides, const unsigned *box, const unsigned *steps, int interleave,
                                int swizzle, int promotion, int fill) {
  ENTER();
  if ((uintptr_t)map % 64 || (uintptr_t)address % 16 || rank < 1 || rank > 5) return INVALID_VALUE;
  char more[256] = "";
  int at = 0;
  for (unsigned i = 0; i < rank; i++) {
    if (i && strides[i - 1] % 16) return INVALID_VALUE;
    at += snprintf(more + at, sizeof more - at, " [%llu by %llu box %u step %u]", (unsigned long long)sizes[i],
                   (unsigned long long)(i ? strides[i - 1] : 0), box[i], steps[i]);
  }
  note("map type %d of %p%s interleave %d swizzle %d promotion %d fill %d\n", type, address, more, interleave, swizzle,
       promotion, fill);
  memset(map, 0x5a, 128);
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
  ENTER_STREAM(stream);
  if (!stream) return CAPTURE_UNSUPPORTED;
  if (stream->capturing) return ILLEGAL_STATE;
  note("capture mode %d\n", mode);
  stream->capturing = 1;
  stream->launches = stream->lost = 0;
  stream->mode = mode;
  recorded = stream;
  return 0;
}
CUresult cuStreamEndCapture(Stream *stream, Graph **graph) {
  ENTER_WITH(stream);
  if (!stream->capturing) return ILLEGAL_STATE;
  stream->capturing = 0;
  recorded = NULL;
  *graph = NULL;
  if (stream->lost) return CAPTURE_INVALIDATED;
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
  ENTER_STREAM(stream);
  note("graph of %d\n", executable->launches);
  return 0;
}
CUresult cuGraphDestroy(Graph *graph) { free(graph); note("end of graph\n"); return 0; }
CUresult cuGraphExecDestroy(Graph *graph) { free(graph); note("end of executable\n"); return 0; }
