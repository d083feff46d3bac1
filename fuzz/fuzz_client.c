/*
 * libpes against a broker that says anything at all.
 *
 * Input: one byte of choices, then datagrams, each after its length in two bytes, little-endian.
 *
 *   choices  1: a proper welcome comes first    2: the query is for a report, not for the status
 *            4: content is lent, not inline
 *            8: the first question's content is a stream of three segments
 *           16: ... of which the last two are written only after something was said
 *   length   its highest bit: the datagram carries a memfd as lent memory would
 *
 * Three questions and a query are open meanwhile. Whatever comes, each question gets an answer
 * whose action was declared, and everything that an answer refers to can be read.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pes/pes.h>

#include "client/ctx.h"
#include "client/service.h"
#include "sys/packet.h"
#include "wire/codec.h"

#define N_REQUESTS    3
#define CONTENT_BYTES 100

#define CHOICE_WELCOME 1u
#define CHOICE_REPORT  2u
#define CHOICE_LENT    4u
#define CHOICE_STREAM  8u
#define CHOICE_LATE    16u

#define SEGMENT_BYTES (1u << 20)
#define STREAM_BYTES  (2 * SEGMENT_BYTES + CONTENT_BYTES)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static void require(int condition)
{
    if (!condition) {
        abort();
    }
}

/* Reads all of it, so that the sanitizer sees it. */
static size_t read_text(const char *text)
{
    return strlen(text);
}

static void send_welcome(int fd, unsigned choices)
{
    struct wire_welcome welcome = {
        .version = WIRE_PROTOCOL_VERSION,
        .max_inline_bytes = choices & CHOICE_LENT ? 10 : WIRE_INLINE_BYTES_MAX,
        .max_content_bytes = choices & CHOICE_STREAM ? 4 * SEGMENT_BYTES : 1000,
        .max_in_flight = choices & CHOICE_STREAM ? 3 : 2,
        .segment_bytes = choices & CHOICE_STREAM ? SEGMENT_BYTES : 0,
    };
    uint8_t buffer[128];
    size_t n;

    require(wire_encode(WIRE_TYPE_WELCOME, &welcome, buffer, sizeof(buffer), &n) == 0);
    require(packet_send(fd, buffer, n, -1) == 0);
}

static int lend(off_t n_bytes)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    require(fd >= 0 && ftruncate(fd, n_bytes) == 0 &&
            fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0);
    return fd;
}

static void read_answer(struct pes_answer *answer)
{
    struct pes_answer_info info = {.size_bytes = sizeof(info)};
    struct pes_part part = {.size_bytes = sizeof(part)};
    struct pes_finding finding = {.size_bytes = sizeof(finding)};
    struct pes_evidence evidence = {.size_bytes = sizeof(evidence)};

    require(pes_answer_action(answer) == PES_GO || pes_answer_action(answer) == PES_STOP);
    require(read_text(pes_answer_message(answer)) > 0);
    pes_answer_info(answer, &info);
    read_text(info.ref);
    read_text(info.advice_text);
    require(info.verdict != PES_VERDICT_KNOWN_GOOD || info.coverage == PES_COVERAGE_FULL);
    for (uint32_t i = 0; pes_answer_part(answer, i, &part) == 0; i++) {
        read_text(part.name);
        read_text(part.decoded);
        for (uint32_t k = 0; pes_answer_finding(answer, i, k, &finding) == 0; k++) {
            read_text(finding.detection);
            read_text(finding.technique);
        }
        for (uint32_t k = 0; pes_answer_evidence(answer, i, k, &evidence) == 0; k++) {
            read_text(evidence.what);
        }
    }
    pes_answer_close(answer, PES_DID_RUN);
}

static void read_service(struct pes_service *service)
{
    struct pes_service_info info = {.size_bytes = sizeof(info)};
    struct pes_provider_info provider = {.size_bytes = sizeof(provider)};
    struct pes_count_info count = {.size_bytes = sizeof(count)};

    if (!service) {
        return;
    }
    pes_service_info(service, &info);
    read_text(info.version);
    for (uint32_t i = 0; pes_service_provider(service, i, &provider) == 0; i++) {
        read_text(provider.name);
        for (uint32_t k = 0; pes_service_signal(service, i, k, &count) == 0; k++) {
            read_text(count.name);
        }
    }
    for (uint32_t i = 0; pes_service_client(service, i, &count) == 0; i++) {
        read_text(count.name);
    }
    for (uint32_t i = 0; pes_service_kind(service, i, &count) == 0; i++) {
        read_text(count.name);
    }
    pes_service_saved_if_removed(service, 3);
    pes_service_free(service);
}

/* What the library sends: nobody listens, but the socket must not fill up. */
static void drain(int fd)
{
    static uint8_t buffer[WIRE_MESSAGE_BYTES_MAX];

    while (packet_receive(fd, buffer, sizeof(buffer)) > 0) {
    }
}

struct stream {
    struct pes_request *request; /* NULL: there is none */
    size_t n_written;
};

/* Writes what there is room for, up to so much of it all, and the end. */
static void stream_write(struct stream *stream, size_t n_until)
{
    static const uint8_t content[STREAM_BYTES];

    while (stream->request && stream->n_written < n_until) {
        size_t n = pes_stream_room(stream->request);

        n = n < n_until - stream->n_written ? n : n_until - stream->n_written;
        if (n == 0) {
            return; /* it has an answer, or the broker lends nothing */
        }
        require(pes_stream_write(stream->request, content, n) >= 0);
        stream->n_written += n;
    }
    if (stream->request && stream->n_written == STREAM_BYTES) {
        require(pes_stream_end(stream->request) == 0);
    }
}

/* Memory as long as what is asked for next, which is in turn, as often as it is right. */
static int lend_for(const struct stream *stream, size_t n_lent)
{
    return lend(stream->request && n_lent < 2 ? SEGMENT_BYTES : CONTENT_BYTES);
}

static void speak(struct pes_ctx *ctx, int fd, struct stream *stream, const uint8_t *bytes,
                  size_t n_bytes)
{
    size_t n_lent = 0;

    while (n_bytes >= 2) {
        size_t n = (size_t)(bytes[0] | (bytes[1] & 0x7f) << 8);
        int memfd = bytes[1] & 0x80 ? lend_for(stream, n_lent++) : -1;

        bytes += 2;
        n_bytes -= 2;
        n = n < n_bytes ? n : n_bytes;
        if (packet_send(fd, bytes, n, memfd) != 0) {
            n_bytes = n; /* it hung up */
        }
        closep(&memfd);
        bytes += n;
        n_bytes -= n;
        pes_process(ctx);
        drain(fd);
        stream_write(stream, STREAM_BYTES);
        drain(fd);
    }
}

static void run(struct pes_ctx *ctx, int fd, const uint8_t *bytes, size_t n_bytes)
{
    static const char content[CONTENT_BYTES];
    unsigned choices = n_bytes > 0 ? bytes[0] : 0;
    struct pes_request *requests[N_REQUESTS];
    struct stream stream = {0};
    struct query query = {.serial = 1, .id = 3, .what = QUERY_STATUS};

    if (choices & CHOICE_REPORT) {
        query.what = QUERY_REPORT;
    }
    if (choices & CHOICE_WELCOME) {
        send_welcome(fd, choices);
        pes_process(ctx);
    }
    for (size_t i = 0; i < N_REQUESTS; i++) {
        requests[i] = pes_request_new(ctx, PES_KIND_COMMAND_PASTED);
        require(requests[i] != NULL);
        if (i == 0 && choices & CHOICE_STREAM) {
            require(pes_request_stream(requests[i]) == 0);
            stream.request = requests[i];
        } else {
            require(pes_request_bytes(requests[i], content, sizeof(content)) == 0);
        }
        require(pes_start(requests[i]) == 0);
    }
    /* As if it had been sent: waiting for it would block. */
    ctx->query = &query;
    if (ctx->connection && ctx->connection->next_id < 4) {
        ctx->connection->next_id = 4;
    }
    stream_write(&stream, choices & CHOICE_LATE ? SEGMENT_BYTES : STREAM_BYTES);
    drain(fd);
    speak(ctx, fd, &stream, bytes + (n_bytes > 0), n_bytes - (n_bytes > 0));
    ctx->query = NULL;
    read_service(query.service);
    pes_cancel(requests[0]);
    close(fd); /* whatever is open ends now */
    pes_process(ctx);
    for (size_t i = 0; i < N_REQUESTS; i++) {
        struct pes_answer *answer = pes_take_answer(requests[i]);

        require(answer != NULL);
        read_answer(answer);
        pes_request_free(requests[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    struct pes_ctx *ctx;
    int pair[2];

    setenv("PES_CLIENT_POLICY", "/nonexistent/client.conf", 1);
    setenv("PES_RUNTIME_DIR", "/nonexistent", 1);
    require(packet_pair(pair) == 0);
    ctx = pes_open_fd(pair[0], "fuzz", "1", PES_CAN_STOP);
    require(ctx != NULL);
    run(ctx, pair[1], bytes, n_bytes);
    pes_close(ctx);
    return 0;
}
