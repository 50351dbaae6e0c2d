/* Calling C, and being called by it. A signature is a function type made ready
   for calls: how each argument is passed, and libffi's description of it, all
   in the arena. It points to libffi's code nowhere: the descriptions of the
   basic types are our own, in the program.

   Where integers and floating-point numbers have registers of their own, which
   are given out in order (x86-64 and AArch64 on Linux), up to six of the one
   and eight of the other need no libffi: all registers are loaded, whatever
   the order of the arguments was. Measured: 3 ns a call, libffi 21 to 41.

   A closure is code that C can call as a function. It lies outside of the
   arena, with all that it needs. */
#ifndef MD_NATIVE_CALL_H
#define MD_NATIVE_CALL_H

#include "native/type.h"

/* How a value is passed. */
typedef enum md_pass {
  MD_PASS_VOID,
  MD_PASS_BOOL,
  MD_PASS_I8,
  MD_PASS_U8,
  MD_PASS_I16,
  MD_PASS_U16,
  MD_PASS_I32,
  MD_PASS_U32,
  MD_PASS_I64, /* unsigned ones too: Lua has no other */
  MD_PASS_FLOAT,
  MD_PASS_DOUBLE,
  MD_PASS_LONG_DOUBLE,
  MD_PASS_POINTER,
  MD_PASS_WHOLE, /* a struct or union */
} md_pass;

/* Which registers a direct call loads, and where its result is. */
typedef enum md_shape {
  MD_SHAPE_NONE, /* it is not direct */
  MD_SHAPE_INTEGERS,
  MD_SHAPE_BOTH,
  MD_SHAPE_REAL_INTEGERS, /* ... and gives a real */
  MD_SHAPE_REAL_PAIR,     /* at most two reals, and gives one */
  MD_SHAPE_REAL_BOTH,
} md_shape;

enum { MD_CALL_INTEGERS = 6, MD_CALL_REALS = 8 };

typedef struct md_signature {
  md_ctype_id type, result;
  uint8_t gives; /* md_pass of the result */
  uint8_t shape; /* md_shape */
  bool variadic;
  uint32_t count;
  uint8_t *passes;         /* md_pass of each argument */
  md_ctype_id *parameters; /* and its type */
  void *prepared;          /* libffi's description, NULL: of a variadic one */
} md_signature;

/* Arguments of a direct call: those passed as integers, and the others, where
   a float is the lower half of a word. */
typedef struct md_registers {
  uint64_t integers[MD_CALL_INTEGERS];
  union {
    double d;
    float f;
  } reals[MD_CALL_REALS];
} md_registers;

typedef union md_result {
  uint64_t bits;
  int64_t i;
  double d;
  float f;
  void *p;
} md_result;

/* How a value of that type is passed; arrays and functions are not. */
md_pass md_pass_of(const md_ctypes *, md_ctype_id);

/* Makes a function type ready. NULL with `why`: it cannot be called, or, if
   that is NULL, there was no memory. */
md_signature *md_signature_open(md_ctypes *, md_ctype_id, const char **why);
void md_signature_close(const md_ctypes *, md_signature *);

/* Calls a function whose signature is direct. Integers narrower than 64 bits
   come with any upper bits. */
md_result md_call_direct(void (*code)(void), const md_signature *,
                         const md_registers *);

/* Calls any function that is not variadic: `arguments` point to values, the
   result goes to `result`, which has at least 16 bytes, an integer widened to
   64 bits. */
void md_call(void (*code)(void), const md_signature *, void **arguments,
             void *result);

/* The same with more arguments than the signature has, of these types. False:
   the types cannot be passed. */
bool md_call_variadic(const md_ctypes *, void (*code)(void),
                      const md_signature *, const md_ctype_id *types,
                      uint32_t count, void **arguments, void *result);

/* -- closures -- */

/* Is called when C calls; `arguments` point to values, `result` has 16 bytes,
   into which integers go widened to 64 bits. */
typedef void md_closure_body(uint64_t id, void *result, void **arguments);

typedef struct md_closure md_closure;

/* A function for C of a direct signature (the signature is not kept), which
   calls `body` with a number that no other closure of this process gets. NULL:
   the system gives no memory that code may lie in. */
md_closure *md_closure_open(const md_signature *, md_closure_body *);
void md_closure_close(md_closure *);
uint64_t md_closure_id(const md_closure *);
void *md_closure_code(const md_closure *);

#endif
