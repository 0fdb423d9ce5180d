/** What differs between WebAssembly and a native build with sanitizers: addresses, growth, exports. No libc in either. */
#ifndef ISOVEC_PLATFORM_H
#define ISOVEC_PLATFORM_H

typedef unsigned char u8;
typedef signed char i8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef float f32;
typedef double f64;

/** A byte offset in the index's memory. 0 is never a valid one. */
typedef u32 address;

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NEVER_INLINE __attribute__((noinline))

/** Whether several threads may link. Natively too, so that sanitizers see the code. */
#ifndef HAS_THREADS
#if defined(__wasm__) && !defined(__wasm_atomics__)
#define HAS_THREADS 0
#else
#define HAS_THREADS 1
#endif
#endif

/** Of each thread its own, where a kernel is built for several: else an ordinary variable. */
#define THREAD_LOCAL _Thread_local

/** Of memory.grow. */
#define PAGE_BYTES 65536u

#ifdef __wasm__

/** Exported under the function's own name: build.ts reads the names from isovec.h. */
#define EXPORT extern

extern u8 __heap_base;

ALWAYS_INLINE void *at(address where) { return (void *)(unsigned long)where; }
ALWAYS_INLINE address address_of(const void *where) { return (address)(unsigned long)where; }
ALWAYS_INLINE address heap_start(void) { return address_of(&__heap_base); }
ALWAYS_INLINE u32 memory_pages(void) { return (u32)__builtin_wasm_memory_size(0); }
ALWAYS_INLINE int memory_grow(u32 pages) { return __builtin_wasm_memory_grow(0, pages) != (unsigned long)-1; }

#else

/** The native host reserves an arena and says how much of it may be used, so that exhaustion can be tested. */
#define EXPORT extern

extern u8 *native_arena;
extern u32 native_pages;
extern u32 native_pages_max;

ALWAYS_INLINE void *at(address where) { return native_arena + where; }
ALWAYS_INLINE address address_of(const void *where) { return (address)((const u8 *)where - native_arena); }
ALWAYS_INLINE address heap_start(void) { return 64; }
ALWAYS_INLINE u32 memory_pages(void) { return native_pages; }
ALWAYS_INLINE int memory_grow(u32 pages) {
  if (pages > native_pages_max - native_pages) return 0;
  native_pages += pages;
  return 1;
}

#endif

#define copy_bytes(to, from, count) __builtin_memcpy(to, from, count)
#define fill_bytes(to, byte, count) __builtin_memset(to, byte, count)

#endif
