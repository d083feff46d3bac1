/*
 * Logging to stderr.
 *
 * A line is one write(2) of at most 1 KiB, so that lines of several processes on one pipe do not
 * mix (pipe(7): PIPE_BUF). Before it, poll(2) with no time to wait asks whether there is room: a
 * reader that stopped must not stop us (stderr may be shared with others, so it is not switched to
 * O_NONBLOCK). Lines without room are dropped and counted, and the count is told as soon as there
 * is room again.
 *
 * The formatted line is escaped once more as a whole: a caller who forgot log_safe() gives away the
 * quotes, not the log. Without a journal the line names process, priority and event in words; with
 * one, "<4>" in front is what sd-daemon(3) understands and journald keeps the rest.
 *
 * There is no syslog socket: it may block, and a sandbox would have to leave it open.
 */
#include "log/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/safe_text.h"

#define LINE_BYTES 1024

static const char *const event_names[] = {
    [EV_NONE] = "event",
#define LOG_EVENT(id, name) [id] = name,
#include "log/events.inc"
#undef LOG_EVENT
};

static const char *const priority_names[8] = {
    "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
};

/* Set once, at start. */
static const char *process_name = "pes";
static bool to_journal;

static atomic_uint n_dropped;

/* JOURNAL_STREAM says where systemd connected stderr; it is inherited, so compare (sd-daemon(3)).
 */
static bool stderr_is_journal(void)
{
    const char *stream = secure_getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_init(const char *process)
{
    process_name = process;
    to_journal = stderr_is_journal();
}

const char *log_safe(const char *text, size_t n_text, char buffer[LOG_SAFE_BYTES])
{
    safe_text_quoted(buffer, LOG_SAFE_BYTES, text, n_text);
    return buffer;
}

static bool has_room(void)
{
    struct pollfd pollfd = {.fd = STDERR_FILENO, .events = POLLOUT};
    int r;

    do {
        r = poll(&pollfd, 1, 0);
    } while (r < 0 && errno == EINTR);
    return r == 1 && (pollfd.revents & POLLOUT);
}

/* Writes `line`, whose last byte becomes the newline. Returns whether it went out. */
static bool write_line(char *line, size_t n_line)
{
    ssize_t n;

    if (!has_room()) {
        return false;
    }
    line[n_line++] = '\n';
    do {
        n = write(STDERR_FILENO, line, n_line);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)n_line;
}

/* The part before the sentence; returns its length. */
static size_t write_head(char line[LINE_BYTES], int priority, enum log_event_id event)
{
    size_t n_names = sizeof(event_names) / sizeof(event_names[0]);
    const char *name = (size_t)event < n_names ? event_names[event] : event_names[EV_NONE];
    int n;

    if (to_journal) {
        n = snprintf(line, LINE_BYTES, "<%d>%s: ", LOG_PRI(priority), name);
    } else {
        n = snprintf(line, LINE_BYTES, "%.64s: %s: %s: ", process_name,
                     priority_names[LOG_PRI(priority)], name);
    }
    return n > 0 ? (size_t)n : 0;
}

/* Replaces control characters in place. Other bytes stay: log_safe() has judged what came from
 * outside. */
static void flatten(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = '?';
        }
    }
}

static void tell_dropped(void)
{
    unsigned n = atomic_exchange(&n_dropped, 0);
    char line[LINE_BYTES + 1];
    size_t n_line;

    if (n == 0) {
        return;
    }
    n_line = write_head(line, LOG_WARNING, EV_INTERNAL);
    n_line += (size_t)snprintf(line + n_line, LINE_BYTES - n_line,
                               "%u lines were dropped, as nobody read them in time", n);
    if (!write_line(line, n_line)) {
        atomic_fetch_add(&n_dropped, n);
    }
}

void log_event(int priority, enum log_event_id event, const char *format, ...)
{
    char line[LINE_BYTES + 1];
    int saved = errno;
    size_t n_head;
    va_list args;

    tell_dropped();
    n_head = write_head(line, priority, event);
    va_start(args, format);
    if (vsnprintf(line + n_head, LINE_BYTES - n_head, format, args) < 0) {
        line[n_head] = '\0';
    }
    va_end(args);
    flatten(line);
    if (!write_line(line, strlen(line))) {
        atomic_fetch_add(&n_dropped, 1);
    }
    errno = saved;
}
