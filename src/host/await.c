/* md.await. An await of several things is a tree: its leaves are
   places, an inner node is over when one of its children is, or all are. A
   userdata on the stack of who waits holds it; its user value keeps the things
   alive. A function is run by a child, whose end is the leaf; one that loses is
   killed. */
#include "host/awaitable.h"
#include "host/modules.h"
#include "host/pattern.h"

#include <string.h>

enum { NODE_LEAF, NODE_ANY, NODE_ALL };
enum { TREE_NODES = 60000 };

typedef struct node {
  uint8_t kind;
  bool done;
  uint16_t parent, end; /* the first node behind its subtree */
  uint16_t child;       /* its number among its parent's */
  uint16_t left;        /* of ALL: children that are not done */
  uint16_t winner;      /* of ANY: the node that was done first */
  uint32_t place;       /* of a leaf, 0: it has none any more */
} node;

struct tree {
  host_sim *sim;
  uint16_t count;
  bool failed;     /* a leaf has failed, and ended it all: */
  uint16_t which;  /* that one */
  uint32_t anchor; /* a place in no line, which stays while others go */
  node nodes[];
};

/* -- trees -- */

static node *tree_node(tree *t, uint16_t i) { return &t->nodes[i]; }

/* Gives up the leaves of [from, to), as far as they are there; what is being
   built in it is built no further. */
static void tree_prune(lua_State *L, tree *t, uint16_t from, uint16_t to) {
  for (uint16_t i = from; i < to && i < t->count; i++) {
    uint32_t e = t->nodes[i].place;
    if (t->nodes[i].kind != NODE_LEAF) t->nodes[i].done = true;
    if (t->nodes[i].kind != NODE_LEAF || e == 0) continue;
    t->nodes[i].place = 0;
    place_give_up(L, t->sim, e);
  }
}

void tree_abandon(lua_State *L, host_sim *s, tree *t) {
  uint32_t anchor = t->anchor;
  t->anchor = 0;
  t->nodes[0].done = true; /* what is granted meanwhile wakes nobody */
  if (anchor != 0) place_free(L, s, anchor);
  tree_prune(L, t, 0, t->count);
}

/* Node i is over: so may those be that it belongs to. True: the whole is. */
static bool tree_climb(lua_State *L, tree *t, uint16_t i) {
  for (;;) {
    t->nodes[i].done = true;
    if (i == 0) return true;
    node *above = tree_node(t, t->nodes[i].parent);
    if (above->done) return false;
    if (above->kind == NODE_ALL && --above->left > 0) return false;
    uint16_t parent = t->nodes[i].parent;
    if (above->kind == NODE_ANY) {
      above->winner = i;
      above->done = true; /* who is offered something now does not win */
      tree_prune(L, t, (uint16_t)(parent + 1), i);
      tree_prune(L, t, t->nodes[i].end, above->end);
    }
    i = parent;
  }
}

/* Is node n in a part that is over already, and about to be given up? */
static bool tree_moot(const tree *t, uint16_t n) {
  for (uint16_t i = n; i != 0; i = t->nodes[i].parent)
    if (t->nodes[t->nodes[i].parent].done) return true;
  return false;
}

/* A leaf has what it waited for; one that failed ends it all. */
static bool tree_done(lua_State *L, tree *t, uint16_t n) {
  const place *pl = place_at(t->sim, t->nodes[n].place);
  const thing_class *class = pl->of->class;
  if (tree_moot(t, n)) return false;
  if (pl->state != PLACE_FAILED &&
      (class->fails == NULL || !class->fails(L, pl->of)))
    return tree_climb(L, t, n);
  t->failed = t->nodes[0].done = true;
  t->which = n;
  tree_prune(L, t, 0, n);
  tree_prune(L, t, (uint16_t)(n + 1), t->count);
  return true;
}

bool tree_granted(lua_State *L, host_sim *s, uint32_t e) {
  const place *pl = place_at(s, e);
  return tree_done(L, pl->of_tree, pl->node);
}

/* How many nodes the value at i needs. */
static int tree_measure(lua_State *L, int i, int depth) {
  bool all;
  int n = 1;
  if (!await_combination(L, i, &all)) return 1;
  if (depth > 100)
    host_raise(L, "usage", "await: things are nested more than 100 deep");
  luaL_checkstack(L, 4, NULL);
  lua_getiuservalue(L, i, 1);
  int list = lua_gettop(L);
  int count = (int)lua_rawlen(L, list);
  for (int k = 1; k <= count; k++) {
    lua_rawgeti(L, list, k);
    n += tree_measure(L, lua_gettop(L), depth + 1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  if (n > TREE_NODES)
    host_raise(L, "usage", "await: more than %d things at once", TREE_NODES);
  return n;
}

static int await_spawn(lua_State *L) {
  return host_spawn(L, host_of(L)->sim, "await", true);
}

/* The value at i as a thing on the top: a function's child, a process's end.
   True when it is a child. */
static bool await_thing_of(lua_State *L, host_sim *s, int i) {
  bool child = await_is_body(L, i);
  if (child) lua_pushcfunction(L, await_spawn);
  lua_pushvalue(L, i);
  if (child) lua_call(L, 1, 1);
  if (host_kind(L, -1) == HOST_PID) end_push(L, s);
  return child;
}

static void tree_build(lua_State *L, tree *t, int i, uint16_t parent,
                       uint16_t child, int things);

static void tree_leaf(lua_State *L, tree *t, uint16_t n, int i, int things) {
  int top = lua_gettop(L);
  bool child = await_thing_of(L, t->sim, i);
  request r = await_request(L, t->sim, top + 1);
  if (child) r.words[0] = 1;
  lua_pushvalue(L, top + 1);
  lua_rawseti(L, things, n + 1);
  uint32_t e = request_place(L, &r);
  lua_settop(L, top);
  place *pl = place_at(t->sim, e);
  pl->of_tree = t;
  pl->node = n;
  t->nodes[n].place = e;
  /* it may have brought others of the tree about, and be given up by that */
  bool taken = place_join(L, t->sim, e);
  if (taken && t->nodes[n].place != 0) tree_done(L, t, n);
}

static void tree_children(lua_State *L, tree *t, uint16_t n, int i,
                          int things) {
  lua_getiuservalue(L, i, 1);
  int list = lua_gettop(L), count = (int)lua_rawlen(L, list);
  t->nodes[n].left = (uint16_t)count;
  for (int k = 1; k <= count && !t->nodes[n].done && !t->nodes[0].done; k++) {
    lua_rawgeti(L, list, k);
    tree_build(L, t, lua_gettop(L), n, (uint16_t)k, things);
    lua_settop(L, list);
  }
  lua_pop(L, 1);
  if (count == 0 && !tree_moot(t, n)) tree_climb(L, t, n);
}

/* Builds the node of the value at i; what is there already is taken. */
static void tree_build(lua_State *L, tree *t, int i, uint16_t parent,
                       uint16_t child, int things) {
  bool all;
  uint16_t n = t->count++;
  luaL_checkstack(L, 8, "things are nested too deep");
  t->nodes[n] = (node){.parent = parent, .child = child, .end = UINT16_MAX};
  if (await_combination(L, i, &all)) {
    t->nodes[n].kind = all ? NODE_ALL : NODE_ANY;
    tree_children(L, t, n, i, things);
  } else {
    tree_leaf(L, t, n, i, things);
  }
  t->nodes[n].end = t->count;
}

/* -- what an await gives -- */

static int tree_push(lua_State *L, tree *t, uint16_t n);

/* A list of the first value of each child. */
static void tree_push_all(lua_State *L, tree *t, uint16_t n) {
  lua_newtable(L);
  int list = lua_gettop(L);
  for (uint16_t i = (uint16_t)(n + 1); i < t->nodes[n].end;
       i = t->nodes[i].end) {
    if (tree_push(L, t, i) == 0) lua_pushnil(L);
    lua_settop(L, list + 1);
    lua_rawseti(L, list, t->nodes[i].child);
  }
}

/* Pushes what node n gives; returns how many values. */
static int tree_push(lua_State *L, tree *t, uint16_t n) {
  node *it = &t->nodes[n];
  luaL_checkstack(L, 8, "too many values");
  if (it->kind == NODE_LEAF) {
    uint32_t e = it->place;
    it->place = 0;
    return place_push(L, t->sim, e);
  }
  if (it->kind == NODE_ALL) {
    tree_push_all(L, t, n);
    return 1;
  }
  lua_pushinteger(L, t->nodes[it->winner].child);
  return 1 + tree_push(L, t, it->winner);
}

static int tree_values(lua_State *L) {
  tree *t = lua_touserdata(L, 1);
  lua_settop(L, 0);
  return tree_push(L, t, t->failed ? t->which : 0);
}

/* The tree at 1 is over: returns what it gives; if that is an error, the others
   give back what they have first. */
static int await_over(lua_State *L) {
  tree *t = lua_touserdata(L, 1);
  lua_settop(L, 1);
  if (t->anchor != 0) place_free(L, t->sim, t->anchor);
  t->anchor = 0;
  lua_pushcfunction(L, tree_values);
  lua_pushvalue(L, 1);
  int status = lua_pcall(L, 1, LUA_MULTRET, 0);
  if (status == LUA_OK) return lua_gettop(L) - 1;
  tree_prune(L, t, 0, t->count);
  return lua_error(L);
}

static int await_woken(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  host_sim *s = host_of(L)->sim;
  host_woken(L);
  if (md_sim_proc(s->kernel, s->host->process)->why == MD_WHY_GRANT)
    return await_over(L);
  return place_timed_out(L, s);
}

/* Builds the tree of the combination at 1 in a protected call: an error on the
   way gives up what was taken. */
static int await_plant(lua_State *L) {
  tree *t = lua_touserdata(L, 2);
  lua_getiuservalue(L, 2, 1);
  tree_build(L, t, 1, 0, 0, lua_gettop(L));
  return 0;
}

/* A place that stands for the whole tree, which waits. */
static uint32_t tree_anchor(lua_State *L, tree *t) {
  uint16_t i = 0;
  while (t->nodes[i].kind != NODE_LEAF || t->nodes[i].place == 0) i++;
  uint32_t e = place_new(L, place_at(t->sim, t->nodes[i].place)->of, 0);
  place_at(t->sim, e)->of_tree = t;
  return e;
}

static int await_tree(lua_State *L, host_sim *s, md_time deadline) {
  int n = tree_measure(L, 1, 0);
  tree *t = lua_newuserdatauv(L, sizeof *t + (size_t)n * sizeof *t->nodes, 1);
  *t = (tree){.sim = s};
  lua_createtable(L, n, 0);
  lua_setiuservalue(L, 2, 1);
  lua_pushcfunction(L, await_plant);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  int status = lua_pcall(L, 2, 0, 0);
  if (status != LUA_OK) {
    tree_prune(L, t, 0, t->count);
    return lua_error(L);
  }
  lua_remove(L, 1);
  if (t->nodes[0].done) return await_over(L);
  if (md_sim_proc(s->kernel, s->host->process)->flags & MD_PENDING) {
    tree_abandon(L, s, t); /* its own request came back to it */
    host_raise_pending(L, s, s->host->process);
  }
  t->anchor = tree_anchor(L, t);
  place_block(s, t->anchor, deadline);
  return host_block(L, s, 0, await_woken);
}

/* await(x [, timeout]) -> the values of x
   Waits for an event, a timer, a flag, the end of a process, what the
   awaitable form of a blocking method stands for, or a combination of them by
   any or all, and returns its values: of any the winner's index and values, of
   all a list with the first value of each. nil, "timeout" when so many units of
   time are over first. What ends the wait otherwise (an interrupt, a kill)
   gives up every place in it, and gives back what was granted. Raises what a
   failed event or process raises; usage for what cannot be awaited, and where
   nothing can block.
     md.spawn(function() print(md.await(md.timer(2, "tea") | md.event())) end)
 */
static int f_await(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  bool all;
  if (host_kind(L, 1) == HOST_PID) return host_f_join(L);
  if (!await_can(L, 1)) return await_refuse(L, "await", 1);
  md_time deadline = await_deadline(L, s, 2, "await");
  host_may_block_in(L, s, "await");
  lua_settop(L, 1);
  if (await_combination(L, 1, &all)) return await_tree(L, s, deadline);
  request r = await_request(L, s, 1);
  uint32_t e = request_place(L, &r);
  lua_settop(L, 1);
  return place_wait(L, s, e, deadline);
}

/* -- in words -- */

/* Does anything below node n wait still? */
static bool tree_waits(const tree *t, uint16_t n) {
  const node *it = &t->nodes[n];
  bool waits = false;
  if (it->kind == NODE_LEAF)
    return it->place != 0 &&
           place_at(t->sim, it->place)->state == PLACE_WAITING;
  for (uint16_t i = (uint16_t)(n + 1); !it->done && !waits && i < it->end;
       i = t->nodes[i].end)
    waits = tree_waits(t, i);
  return waits;
}

/* Adds what node n waits for, `left` things at most. */
static void tree_say(const tree *t, uint16_t n, luaL_Buffer *b, int *left) {
  const node *it = &t->nodes[n];
  bool first = true;
  if (it->kind == NODE_LEAF) {
    const place *pl = place_at(t->sim, it->place);
    pl->of->class->describe(b->L, pl->of, pl);
    luaL_addvalue(b);
    return;
  }
  if (n != 0) luaL_addchar(b, '(');
  for (uint16_t i = (uint16_t)(n + 1); i < it->end; i = t->nodes[i].end) {
    if (!tree_waits(t, i)) continue;
    if (!first) luaL_addstring(b, it->kind == NODE_ALL ? ", and " : ", or ");
    first = false;
    if (*left == 0) {
      luaL_addstring(b, "more");
      break;
    }
    if (t->nodes[i].kind == NODE_LEAF) --*left;
    tree_say(t, i, b, left);
  }
  if (n != 0) luaL_addchar(b, ')');
}

void tree_describe(lua_State *L, const tree *t) {
  luaL_Buffer b;
  int left = 4;
  luaL_buffinit(L, &b);
  tree_say(t, 0, &b, &left);
  luaL_pushresult(&b);
}

void host_open_awaiting(lua_State *L) {
  lua_pushcfunction(L, f_await);
  lua_setfield(L, -2, "await");
}
