/* Sides that ask pes, or do what pes has to do with the bytes at least. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pes/pes.h>

#include "base/sha256.h"
#include "side.h"

#define TIMEOUT_MS 60000

struct client {
    struct pes_ctx *ctx;
    uint32_t kind;
    bool is_marked_found;
};

static void *pes_side_open(const struct side_setup *setup)
{
    struct client *client = calloc(1, sizeof(*client));

    if (!client) {
        side_fail("out of memory");
    }
    client->ctx = pes_open("pes-bench", PES_VERSION, 0);
    client->kind = setup->kind;
    client->is_marked_found = setup->is_marked_found;
    return client;
}

/* A benchmark of a broker that says "nobody could look" would be fast. */
static void check(struct pes_answer *answer, size_t n_bytes, bool must_find)
{
    struct pes_answer_info info = {.size_bytes = sizeof(info)};

    pes_answer_info(answer, &info);
    if (info.error < 0 || info.coverage != PES_COVERAGE_FULL || info.content_bytes != n_bytes ||
        (info.verdict != PES_VERDICT_NOT_DETECTED) != must_find) {
        fprintf(stderr,
                "bench: no honest answer for %zu bytes: error %d, verdict %u, coverage %u: %s\n",
                n_bytes, info.error, info.verdict, info.coverage, pes_answer_message(answer));
        exit(1);
    }
}

static void pes_side_ask(void *state, const void *bytes, size_t n_bytes, bool is_marked)
{
    struct client *client = state;
    struct pes_request *request = pes_request_new(client->ctx, client->kind);
    struct pes_answer *answer;

    pes_request_timeout_ms(request, TIMEOUT_MS);
    if (pes_request_bytes(request, bytes, n_bytes) < 0) {
        side_fail("cannot put content into a request; is max-content large enough?");
    }
    answer = pes_ask(request);
    check(answer, n_bytes, is_marked && client->is_marked_found);
    pes_answer_close(answer, PES_DID_RUN);
}

static void pes_side_close(void *state)
{
    struct client *client = state;

    pes_close(client->ctx);
    free(client);
}

static void *nothing_open(const struct side_setup *setup)
{
    return NULL;
}

static void nothing_close(void *state)
{
}

static void copy_ask(void *state, const void *bytes, size_t n_bytes, bool is_marked)
{
    int fd = memfd_create("bench", MFD_CLOEXEC);

    if (fd < 0) {
        side_fail("memfd_create");
    }
    for (size_t at = 0; at < n_bytes;) {
        ssize_t n = write(fd, (const char *)bytes + at, n_bytes - at);

        if (n <= 0) {
            side_fail("cannot fill a memfd");
        }
        at += (size_t)n;
    }
    close(fd);
}

static void hash_ask(void *state, const void *bytes, size_t n_bytes, bool is_marked)
{
    uint8_t digest[SHA256_DIGEST_BYTES];

    sha256_digest(bytes, n_bytes, digest);
}

const struct side side_pes = {.name = "pes",
                              .open = pes_side_open,
                              .ask = pes_side_ask,
                              .close = pes_side_close};
const struct side side_copy = {.name = "copy",
                               .open = nothing_open,
                               .ask = copy_ask,
                               .close = nothing_close};
const struct side side_hash = {.name = "hash",
                               .open = nothing_open,
                               .ask = hash_ask,
                               .close = nothing_close};
