# Moondial. `make help` lists what there is to make.
.DEFAULT_GOAL := all
SHELL := /bin/sh

CC      ?= gcc
PREFIX  ?= /usr/local
LUA_INC ?= $(firstword $(wildcard /usr/include/lua5.4) /usr/local/include)
# any static Lua 5.4: make LUA_LIB=/path/liblua.a LUA_INC=/path
LUA_LIB ?= -l:liblua5.4.a
# libffi, static where there is one
FFI_LIB ?= $(if $(filter /%,$(shell $(CC) -print-file-name=libffi.a)),-l:libffi.a,-lffi)

# No PIE and one arena at a fixed address: the same program has the same
# addresses in every run. No contraction: the same digits on every machine.
BASE_FLAGS := -std=gnu11 -Wall -Wextra -g -fno-pie -ffp-contract=off \
              -D_GNU_SOURCE -Isrc -I. -isystem $(LUA_INC)
CFLAGS     ?= -O3
# time() and clock() are virtual; luaS_hash across files is Lua's seed.
# The one unit is the program: a function called once is part of its caller.
# Where the hot functions lie decides over up to 20 % of a message's time, by
# chance: so each begins a cache line, and Lua's lie before all that changes.
WHOLE      := $(shell $(CC) --version | grep -q clang || echo -fwhole-program \
                -falign-functions=64 -falign-loops=32 -falign-jumps=16)
FIRST      := src/host/jump.c -Wl,--whole-archive $(LUA_LIB) \
              -Wl,--no-whole-archive
WRAPS      := -Wl,--wrap=time -Wl,--wrap=clock -Wl,--wrap=luaS_hash
# Lua's jumps are short ones where src/host/jump.c has them.
ifneq ($(filter x86_64 aarch64,$(shell uname -m)),)
JUMPS      := -Wl,--wrap=_setjmp -Wl,--wrap=longjmp -Wl,--wrap=_longjmp \
              -Wl,--wrap=__longjmp_chk
endif
LINK       := -no-pie -Wl,--build-id $(WRAPS) -Wl,-E $(FFI_LIB) -lsqlite3 -ledit -lm -ldl -lpthread

SOURCES := $(wildcard src/*/*.c src/*/*.h src/kernel/events.def)
NATIVE  := $(wildcard src/base/*.c src/native/*.c)
KERNEL  := $(wildcard src/base/*.c src/kernel/*.c)
IMAGE   := $(wildcard src/base/*.c src/image/*.c)
MODULES := $(shell find lua -name '*.lua' 2>/dev/null)
MADE    := build/made/chunks.c build/made/reference.c
CSPECS  := $(wildcard spec/base/*_spec.c spec/kernel/*_spec.c \
             spec/image/*_spec.c spec/native/*_spec.c spec/app/*_spec.c)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
            -fno-omit-frame-pointer

.PHONY: help demo all test check lint hostile asan ubsan bench install clean

help: ## say what there is to make
	@grep -hE '^[a-z]+:.*##' Makefile | sed -e 's/:.*## /\t/' | expand -t 12

all: build/moondial ## build build/moondial (the release: one unit)

demo: ## install what is missing, build, and run a bank beside its theory
	@scripts/deps build
	@$(MAKE) -s all
	@echo '$$ build/moondial examples/bank.lua'
	@build/moondial examples/bank.lua

test: ## install what is missing, build, and run every spec
	@scripts/deps test
	@$(MAKE) -s build/moondial build/hostile/moondial cspecs
	@scripts/test

check: ## test, lint, the hostile build, ASan with UBSan, the long specs
	@scripts/deps check
	@$(MAKE) -s lint
	@$(MAKE) -s test
	@$(MAKE) -s hostile
	@$(MAKE) -s asan
	@scripts/test --long

lint: ## formatting and static analysis
	@scripts/deps check
	@scripts/tidy

hostile: build/hostile/moondial ## all specs on a build that lets bugs out
	@$(MAKE) -s cspecs BUILD=build/hostile FLAGS=-DMD_HOSTILE
	@scripts/test --build build/hostile

asan ubsan: ## all specs under the address and undefined-behaviour sanitizers
	@$(MAKE) -s build/asan/moondial
	@$(MAKE) -s cspecs BUILD=build/asan FLAGS='$(SANITIZE)'
	@scripts/test --build build/asan

bench: all ## our figures beside the peers' (about ten minutes)
	@scripts/deps bench
	@scripts/bench

install: all ## install below PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 build/moondial $(DESTDIR)$(PREFIX)/bin/moondial
	install -d $(DESTDIR)$(PREFIX)/include
	install -m 644 $(HEADER) $(DESTDIR)$(PREFIX)/include/moondial.h

clean:
	rm -rf build

HEADER := src/native/moondial.h
build/made/chunks.c: $(MODULES) $(HEADER) scripts/embed
	@mkdir -p $(@D)
	@scripts/embed lua $(HEADER) > $@

REFERENCE := src/app/topics.txt src/kernel/events.def src/app/help.c \
             $(wildcard src/host/*.c) $(MODULES)
build/made/reference.c: $(REFERENCE) scripts/reference
	@mkdir -p $(@D)
	@scripts/reference $(REFERENCE) > $@

define program
build/$(1)moondial: $$(SOURCES) $$(MADE) Makefile
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $(2) $$(BASE_FLAGS) -Ibuild $(FIRST) src/app/one.c $(3) \
	  $$(LINK) -o $$@
endef
$(eval $(call program,,-DNDEBUG $(WHOLE),$(JUMPS)))
$(eval $(call program,hostile/,-DMD_HOSTILE,$(JUMPS)))
$(eval $(call program,asan/,$(SANITIZE),$(SANITIZE)))

# The C specs link the kernel without Lua: that is the proof that it knows none.
BUILD ?= build
EXPORT := $(wildcard src/app/export*.c)
.PHONY: cspecs
cspecs: $(patsubst spec/%.c,$(BUILD)/spec/%,$(CSPECS))

$(BUILD)/spec/app/%: spec/app/%.c $(SOURCES) spec/check.h
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(FLAGS) $(BASE_FLAGS) $< $(EXPORT) $(KERNEL) -no-pie \
	  -lsqlite3 -lm -o $@

# Images know neither the kernel nor Lua.
$(BUILD)/spec/image/%: spec/image/%.c $(SOURCES) spec/check.h
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(FLAGS) $(BASE_FLAGS) $< $(IMAGE) -no-pie -lm -o $@

# Nor does what calls C.
$(BUILD)/spec/native/%: spec/native/%.c $(SOURCES) spec/check.h
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(FLAGS) $(BASE_FLAGS) $< $(NATIVE) -no-pie \
	  $(FFI_LIB) -lm -ldl -o $@

$(BUILD)/spec/%: spec/%.c $(SOURCES) spec/check.h
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(FLAGS) $(BASE_FLAGS) $< $(KERNEL) -no-pie -lm -o $@
