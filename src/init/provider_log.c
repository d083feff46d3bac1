/*
 * A provider's stderr, made harmless.
 *
 * Ten lines of at most 1 KiB are written on per second. A provider that writes more is not read any
 * further until the second is over, and then what the pipe holds is thrown away, unread by anybody:
 * its writes fail (the pipe does not block), and flooding costs init next to nothing, however fast
 * it is. How much was thrown away is said once per window.
 *
 * Leaves out escaping and the provider's name: whoever writes the line adds them.
 */
#include "init/provider_log.h"

#include <stdio.h>
#include <string.h>

void provider_log_init(struct provider_log *log, int fd, provider_log_fn write_line, void *context)
{
    *log = (struct provider_log){.fd = fd, .write_line = write_line, .context = context};
}

void provider_log_fini(struct provider_log *log)
{
    if (log->fd >= 0) {
        close(TAKE_FD(log->fd));
    }
}

bool provider_log_wants_input(const struct provider_log *log, uint64_t now_us)
{
    return log->fd >= 0 && (!log->is_flooding || now_us >= log->window_ends_us);
}

uint64_t provider_log_next_us(const struct provider_log *log)
{
    return log->fd >= 0 && log->is_flooding ? log->window_ends_us : UINT64_MAX;
}

static void say_dropped(struct provider_log *log)
{
    char text[96];
    int n;

    if (log->n_dropped == 0) {
        return;
    }
    n = snprintf(text, sizeof(text), "(more than %d lines a second: %llu bytes and more left out)",
                 PROVIDER_LOG_LINES_MAX, (unsigned long long)log->n_dropped);
    log->n_dropped = 0;
    log->write_line(log->context, text, (size_t)n);
}

static void end_line(struct provider_log *log)
{
    if (log->n_lines >= PROVIDER_LOG_LINES_MAX) {
        log->is_flooding = true;
        log->n_dropped += log->n_line + 1;
    } else {
        log->n_lines++; /* an empty line costs as much to look at, though it is not written */
        if (log->n_line > 0) {
            log->write_line(log->context, log->line, log->n_line);
        }
    }
    log->n_line = 0;
}

static void take(struct provider_log *log, const char *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        if (bytes[i] == '\n') {
            end_line(log);
        } else {
            log->line[log->n_line++] = bytes[i];
            if (log->n_line == sizeof(log->line)) {
                end_line(log);
            }
        }
    }
}

/* One read; false when there was nothing. */
static bool read_some(struct provider_log *log, bool is_kept)
{
    char bytes[4096];
    ssize_t n = read(log->fd, bytes, sizeof(bytes));

    if (n <= 0) {
        if (n == 0) {
            close(TAKE_FD(log->fd)); /* nobody can write any more */
        }
        return false;
    }
    if (is_kept) {
        take(log, bytes, (size_t)n);
    } else {
        log->n_dropped += (uint64_t)n;
    }
    return true;
}

static void throw_away(struct provider_log *log)
{
    /* What a pipe holds, and not what is written meanwhile: this must come to an end. */
    for (int i = 0; i < 16 && log->fd >= 0 && read_some(log, false); i++) {
    }
    log->n_line = 0;
}

void provider_log_step(struct provider_log *log, uint64_t now_us)
{
    if (now_us >= log->window_ends_us) {
        log->window_ends_us = now_us + PROVIDER_LOG_WINDOW_US;
        log->n_lines = 0;
        if (log->is_flooding) {
            log->is_flooding = false;
            throw_away(log);
            say_dropped(log);
        }
    }
    while (log->fd >= 0 && !log->is_flooding && read_some(log, true)) {
    }
}

void provider_log_finish(struct provider_log *log, uint64_t now_us)
{
    provider_log_step(log, now_us);
    if (log->n_line > 0) {
        end_line(log);
    }
    say_dropped(log);
}
