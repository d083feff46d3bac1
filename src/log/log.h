/*
 * Log lines of pes's own processes: one line on stderr, "<priority>event: text", which journald
 * reads and people can.
 *
 * Layers base, wire, sys and client never log. Events and their ids stand in
 * docs/events.md.
 */
#pragma once

#include <stddef.h>
#include <syslog.h>

enum log_event_id {
    EV_NONE = 0,
#define LOG_EVENT(id, name) id,
#include "log/events.inc"
#undef LOG_EVENT
};

/* Who is speaking, such as "pes-broker"; static. Call once at start. */
void log_init(const char *process);

/* Writes one line. `format` gives one sentence; text from outside goes through log_safe() and
 * single quotes. */
void log_event(int priority, enum log_event_id event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define LOG_SAFE_BYTES 256

/* `text` with everything but printable characters escaped, cut to fit; returns `buffer`. */
const char *log_safe(const char *text, size_t n_text, char buffer[LOG_SAFE_BYTES]);
