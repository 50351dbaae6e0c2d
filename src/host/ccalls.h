/* What the table of a body's calls is made of, besides ccalls.c. */
#ifndef MD_HOST_CCALLS_H
#define MD_HOST_CCALLS_H

#include "host/cproc.h"

/* -- cchance.c -- */

md_stream *cchance_stream(md_process *p, const char *name);
double cchance_uniform(md_process *p, md_stream *stream, double a, double b);
int64_t cchance_integer(md_process *p, md_stream *stream, int64_t a, int64_t b);
double cchance_exponential(md_process *p, md_stream *stream, double mean);
double cchance_normal(md_process *p, md_stream *stream, double mean, double sd);
double cchance_lognormal(md_process *p, md_stream *stream, double mu,
                         double sigma);
double cchance_gamma(md_process *p, md_stream *stream, double shape,
                     double scale);
double cchance_erlang(md_process *p, md_stream *stream, int64_t k, double mean);
double cchance_beta(md_process *p, md_stream *stream, double a, double b);
double cchance_weibull(md_process *p, md_stream *stream, double shape,
                       double scale);
double cchance_pareto(md_process *p, md_stream *stream, double shape,
                      double scale);
int64_t cchance_poisson(md_process *p, md_stream *stream, double mean);
int64_t cchance_binomial(md_process *p, md_stream *stream, int64_t n,
                         double odds);
int64_t cchance_geometric(md_process *p, md_stream *stream, double odds);
int cchance_bernoulli(md_process *p, md_stream *stream, double odds);
double cchance_triangular(md_process *p, md_stream *stream, double low,
                          double mode, double high);

#endif
