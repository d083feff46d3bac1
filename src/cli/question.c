/*
 * From an item to a request.
 *
 * Puts in the content, the name, where it came from and why it is asked. What the command line says
 * goes before what a file's attributes say. A file that changed while it was read is read once
 * more; a second time it is told as such, and not asked about half old and half new. Content above
 * the limit is asked about all the same, without bytes, so that the answer says "too large" and the
 * question is counted.
 */
#include "cli/question.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pes/pes.h>

#include "cli/kind_guess.h"
#include "cli/origin.h"

#define FIELD_BYTES_MAX 4096

uint32_t question_kind(const struct item *item)
{
    char head[KIND_GUESS_HEAD_BYTES];
    char tail[KIND_GUESS_TAIL_BYTES];
    struct kind_sample sample = {.name = item->name, .head = head, .tail = tail};
    ssize_t n;

    if (item->ordinal > 0) {
        return PES_KIND_COMMAND_INTERACTIVE;
    }
    n = item->fd >= 0 ? pread(item->fd, head, sizeof(head), 0) : 0;
    sample.n_head = n > 0 ? (size_t)n : 0;
    if (item->fd >= 0 && item->full_size > sizeof(tail)) {
        n = pread(item->fd, tail, sizeof(tail), (off_t)(item->full_size - sizeof(tail)));
        sample.n_tail = n > 0 ? (size_t)n : 0;
    }
    return kind_guess(&sample);
}

static void requestfreep(struct pes_request **request)
{
    pes_request_free(*request);
}

/* The library learns that content is too large from its size alone; nothing is read of this. */
static int put_too_large(struct pes_request *request)
{
    CLEANUP(closep) int fd = memfd_create("pes-scan", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, (off_t)1 << 50) < 0) {
        return -PES_E_NO_MEMORY;
    }
    return pes_request_file(request, fd);
}

static int put_content(struct pes_request *request, const struct item *item)
{
    int r;

    if (item->is_too_large) {
        return put_too_large(request);
    }
    if (item->rest_fd >= 0) {
        return pes_request_stream(request);
    }
    if (item->bytes) {
        return pes_request_bytes(request, item->bytes, item->n_bytes);
    }
    r = pes_request_file(request, item->fd);
    return r == -PES_E_CHANGED ? pes_request_file(request, item->fd) : r;
}

/* What became of putting in the content. */
static int content_outcome(struct item *item, int r, int error)
{
    switch (r) {
    case 0:
        return 0;
    case -PES_E_TOO_LARGE:
        return 0;
    case -PES_E_QUOTA:
        return QUESTION_E_BUSY;
    case -PES_E_NO_MEMORY:
        return QUESTION_E_NO_ROOM;
    case -PES_E_CHANGED:
        r = item_fail(item, "changed while it was read; ask again when it is complete");
        return r < 0 ? r : QUESTION_E_UNREADABLE;
    case -PES_E_IO:
        r = item_fail_errno(item, error);
        return r < 0 ? r : QUESTION_E_UNREADABLE;
    default:
        r = item_fail(item, pes_error_text(r));
        return r < 0 ? r : QUESTION_E_UNREADABLE;
    }
}

/* A name that is too long for the context is cut to its end, which says most. */
static void put_name(struct pes_request *request, const struct item *item)
{
    size_t n = strlen(item->name);
    const char *name = n > FIELD_BYTES_MAX ? item->name + (n - FIELD_BYTES_MAX) : item->name;

    if (item->ordinal > 0) {
        char line[FIELD_BYTES_MAX + 1];

        snprintf(line, sizeof(line), "%s:%llu", name, (unsigned long long)item->ordinal);
        pes_request_text(request, PES_SUBJECT_NAME, line);
    } else if (strcmp(item->name, "-") != 0) {
        pes_request_text(request, PES_SUBJECT_PATH, name);
    }
}

static void put_origin(struct pes_request *request, const struct item *item,
                       const struct scan_options *options)
{
    struct origin origin = {.n_url = 0};
    bool has_url, has_referrer; /* from the attributes */

    if (item->fd >= 0 && !item->is_copy) {
        origin_read(&origin, item->fd);
    }
    has_url = !options->origin_url && origin.n_url > 0;
    has_referrer = !options->referrer && origin.n_referrer > 0;
    if (has_url || has_referrer) {
        pes_request_text(request, PES_ORIGIN_EVIDENCE, "xattr");
    }
    if (has_url) {
        pes_request_text_n(request, PES_ORIGIN_URL, origin.url, origin.n_url);
    } else if (options->origin_url) {
        pes_request_text(request, PES_ORIGIN_URL, options->origin_url);
    }
    if (has_referrer) {
        pes_request_text_n(request, PES_ORIGIN_REFERRER, origin.referrer, origin.n_referrer);
    } else if (options->referrer) {
        pes_request_text(request, PES_ORIGIN_REFERRER, options->referrer);
    }
    if (origin_is_web(has_url ? origin.url : options->origin_url)) {
        pes_request_number(request, PES_ORIGIN_ZONE, PES_ZONE_INTERNET);
    }
}

static void put_context(struct pes_request *request, const struct item *item, uint64_t sequence,
                        const struct scan_options *options)
{
    uint32_t flags = 0;

    put_name(request, item);
    put_origin(request, item, options);
    if (item->is_too_large) {
        pes_request_number(request, PES_SUBJECT_FULL_SIZE, item->full_size);
    }
    if (options->session) {
        pes_request_text(request, PES_CORRELATION_SESSION, options->session);
        pes_request_number(request, PES_CORRELATION_SEQUENCE, sequence);
    }
    if (options->reason != PES_REASON_NONE) {
        pes_request_number(request, PES_TRIGGER_REASON, options->reason);
    }
    flags |= options->is_private ? PES_SCAN_PRIVATE : 0u;
    flags |= options->is_uncached ? PES_SCAN_NO_CACHE : 0u;
    flags |= options->is_json || options->is_verbose ? PES_SCAN_WANT_DETAILS : 0u;
    pes_request_flags(request, flags);
    pes_request_latency(request, PES_LATENCY_REQUEST);
}

int question_new(struct pes_request **ret_request, struct pes_ctx *ctx, struct item *item,
                 uint32_t kind, uint64_t sequence, const struct scan_options *options)
{
    CLEANUP(requestfreep) struct pes_request *request = pes_request_new(ctx, kind);
    int r;

    if (!request) {
        return -ENOMEM;
    }
    /* First: putting in the content may wait for the service, too. */
    pes_request_timeout_ms(request, options->timeout_ms);
    r = put_content(request, item);
    r = content_outcome(item, r, errno);
    if (r != 0) {
        return r;
    }
    put_context(request, item, sequence, options);
    *ret_request = TAKE_PTR(request);
    return 0;
}
