/* What a provider writes to stderr: read, bounded, escaped, stamped with its name, written on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define PROVIDER_LOG_LINE_MAX  1024
#define PROVIDER_LOG_LINES_MAX 10 /* per window */
#define PROVIDER_LOG_WINDOW_US 1000000u

/* Gives out one line: 1 to PROVIDER_LOG_LINE_MAX bytes of anything. */
typedef void (*provider_log_fn)(void *context, const char *line, size_t n_line);

struct provider_log {
    int fd; /* the reading end, non-blocking; -1: closed */
    provider_log_fn write_line;
    void *context;
    uint64_t window_ends_us;
    uint32_t n_lines;   /* written in this window */
    bool is_flooding;   /* not read until the window ends; then what is there is thrown away */
    uint64_t n_dropped; /* bytes thrown away since that was last said */
    size_t n_line;
    char line[PROVIDER_LOG_LINE_MAX];
};

/* Takes `fd`. */
void provider_log_init(struct provider_log *log, int fd, provider_log_fn write_line, void *context);
void provider_log_fini(struct provider_log *log);

/* Whether the pipe is to be polled now. */
bool provider_log_wants_input(const struct provider_log *log, uint64_t now_us);

/* Time of the next thing to do without input, or UINT64_MAX. */
uint64_t provider_log_next_us(const struct provider_log *log);

/* Reads what is there and writes what may be written. */
void provider_log_step(struct provider_log *log, uint64_t now_us);

/* Writes the rest of what is there (the provider has ended). */
void provider_log_finish(struct provider_log *log, uint64_t now_us);
