/* What takes in a number at a time for md.stats, where Lua would cost five
   times as much: the sums of tallies, of levels over time, the counts of
   histograms. What is told of them is computed in `lua/moondial/stats`. */
#ifndef MD_HOST_ADDER_H
#define MD_HOST_ADDER_H

#include "host/host.h"

/* Puts the functions that make them into the table on the top. [-0, +0, m] */
void adder_open(lua_State *L);

#endif
