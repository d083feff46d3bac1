/*
 * Contexts: made, polled, told apart from their copy in a child, ended.
 *
 * There is no global state: everything hangs here. The epoll descriptor is made with the context
 * and stays, so that an application can put it into its own loop once, whatever connections come
 * and go behind it.
 *
 * fork(): parent and child would share the socket (each stealing the other's answers) and the
 * epoll instance (each changing the other's). So every entry looks whether this is still the
 * process that made the context; in a child the copies are closed without a word to the broker, the
 * epoll instance is replaced under the same number, and what was under way is answered with
 * PES_E_BROKER_LOST. There is a page that the kernel zeroes in a child (MADV_WIPEONFORK). Only
 * where there is none does the process id have to do, which tells less (it is 1 in every new PID
 * namespace, and is given out again) and costs a system call each time.
 */
#include "client/ctx.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pes/enums.h>

#include "client/answer.h"
#include "client/error.h"
#include "client/exchange.h"
#include "client/peer.h"
#include "client/place.h"
#include "client/request.h"
#include "sys/clock.h"

/* How long an application with a loop of its own may keep back what waits for its next question. */
#define PATIENCE_US UINT64_C(200000)

static void copy_name(char to[CTX_NAME_BYTES + 1], const char *from)
{
    size_t n = from ? strnlen(from, CTX_NAME_BYTES) : 0;

    memcpy(to, from ? from : "", n);
    to[n] = '\0';
}

/* Advice that no kernel knows, and refuses for that; an emulator that takes all advice for granted
 * (qemu-user before 7.1) does not. */
#define NO_ADVICE (-1)

/* A page that says 1 here and 0 in a forked child, or NULL where there is none to be had: without
 * memory, when a filter of system calls forbids it, or where advice is not heard. */
static uint8_t *new_fork_mark(void)
{
    uint8_t *mark = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (mark == MAP_FAILED) {
        return NULL;
    }
    if (madvise(mark, 1, NO_ADVICE) == 0 || madvise(mark, 1, MADV_WIPEONFORK) < 0) {
        munmap(mark, 1);
        return NULL;
    }
    *mark = 1;
    return mark;
}

struct pes_ctx *pes_open(const char *app_name, const char *app_version, uint32_t can)
{
    struct pes_ctx *ctx = calloc(1, sizeof(*ctx));

    if (!ctx) {
        return NULL;
    }
    ctx->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (ctx->epoll_fd < 0) {
        free(ctx);
        return NULL;
    }
    ctx->pid = getpid();
    ctx->fork_mark = new_fork_mark();
    ctx->can = can & (PES_CAN_ASK | PES_CAN_STOP);
    ctx->wake_at_us = UINT64_MAX;
    ctx->socket_name = PLACE_CLIENTS;
    copy_name(ctx->app_name, app_name);
    copy_name(ctx->app_version, app_version);
    list_init(&ctx->draining);
    list_init(&ctx->open);
    list_init(&ctx->waiting);
    list_init(&ctx->sent);
    list_init(&ctx->answered);
    list_init(&ctx->reservations);
    list_init(&ctx->answers);
    /* Now, while the file can still be read. */
    client_policy_load_default(&ctx->policy);
    return ctx;
}

struct pes_ctx *pes_open_fd(int fd, const char *app_name, const char *app_version, uint32_t can)
{
    CLEANUP(closep) int owned = fd;
    struct pes_ctx *ctx = pes_open(app_name, app_version, can);
    struct peer peer;
    int r;

    if (!ctx) {
        return NULL;
    }
    ctx->is_fixed = true;
    ctx->was_connected = true;
    r = peer_read(&peer, owned, NULL);
    if (r == 0 && !peer_is_trusted(&peer, &ctx->policy)) {
        r = -EPERM;
    }
    if (r == 0 && fcntl(owned, F_SETFD, FD_CLOEXEC) < 0) {
        r = -errno;
    }
    if (r < 0) {
        ctx->fixed_error = (uint32_t)-pes_error_from_errno(r);
        return ctx;
    }
    ctx->fixed_error = PES_E_BROKER_LOST; /* once it is lost */
    exchange_adopt(ctx, TAKE_FD(owned));
    return ctx;
}

int pes_connect(void)
{
    struct client_policy policy;
    struct place place;
    enum place_absence absence;
    int fd;

    client_policy_load_default(&policy);
    place_find(&place, PLACE_CLIENTS, policy.is_locked);
    fd = connection_socket(&place, &policy, &absence);
    if (fd == CONNECTION_E_NO_BROKER) {
        return -PES_E_NO_BROKER;
    }
    return fd < 0 ? pes_error_from_errno(fd) : fd;
}

static void orphan_requests(struct list *list)
{
    LIST_FOR_EACH (node, list) {
        request_orphan(CONTAINER_OF(node, struct pes_request, node));
    }
}

static void orphan_answers(struct pes_ctx *ctx)
{
    LIST_FOR_EACH (node, &ctx->answers) {
        struct pes_answer *answer = CONTAINER_OF(node, struct pes_answer, node);

        list_remove(node);
        answer->ctx = NULL;
    }
}

static void close_connections(struct pes_ctx *ctx)
{
    ctx_disconnect(ctx, TAKE_PTR(ctx->connection));
    LIST_FOR_EACH (node, &ctx->draining) {
        ctx_disconnect(ctx, CONTAINER_OF(node, struct connection, node));
    }
    ctx->n_draining = 0;
}

void pes_close(struct pes_ctx *ctx)
{
    if (!ctx) {
        return;
    }
    ctx_enter(ctx);
    /* Requests should be gone; those that are not must not point here any longer. */
    orphan_requests(&ctx->open);
    orphan_requests(&ctx->waiting);
    orphan_requests(&ctx->sent);
    orphan_requests(&ctx->answered);
    orphan_answers(ctx);
    exchange_flush(ctx, true);
    close_connections(ctx);
    closep(&ctx->epoll_fd);
    if (ctx->fork_mark) {
        munmap(ctx->fork_mark, 1);
    }
    free(ctx);
}

/* Whether this is a child that was forked since the last call, and remembers that it is. The mark
 * costs no system call; who runs in the same memory (vfork(2)) is no child. */
static bool has_forked(struct pes_ctx *ctx)
{
    pid_t pid;

    if (ctx->fork_mark) {
        bool is_child = *ctx->fork_mark == 0;

        *ctx->fork_mark = 1;
        return is_child;
    }
    pid = getpid();
    if (ctx->pid == pid) {
        return false;
    }
    ctx->pid = pid;
    return true;
}

void ctx_enter(struct pes_ctx *ctx)
{
    int fd;

    if (!has_forked(ctx)) {
        return;
    }
    /* First the epoll instance, so that nothing below reaches the parent's. */
    fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0 || dup3(fd, ctx->epoll_fd, O_CLOEXEC) < 0) {
        closep(&ctx->epoll_fd);
        ctx->epoll_fd = -1;
    }
    closep(&fd);
    exchange_forked(ctx);
    close_connections(ctx);
}

struct connection *ctx_connection(struct pes_ctx *ctx, uint64_t serial)
{
    if (ctx->connection && ctx->connection->serial == serial) {
        return ctx->connection;
    }
    LIST_FOR_EACH (node, &ctx->draining) {
        struct connection *connection = CONTAINER_OF(node, struct connection, node);

        if (connection->serial == serial) {
            return connection;
        }
    }
    return NULL;
}

int ctx_watch(struct pes_ctx *ctx, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = connection->serial};

    return epoll_ctl(ctx->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) < 0 ? -errno : 0;
}

void ctx_disconnect(struct pes_ctx *ctx, struct connection *connection)
{
    if (connection) {
        /* By hand: close(2) does it only for the last copy, and a child may hold one. */
        epoll_ctl(ctx->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
        connection_free(connection);
    }
}

void ctx_watch_out(struct pes_ctx *ctx, struct connection *connection, bool wants_out)
{
    struct epoll_event event = {
        .events = EPOLLIN | (wants_out ? (uint32_t)EPOLLOUT : 0),
        .data.u64 = connection->serial,
    };

    if (connection->wants_out != wants_out &&
        epoll_ctl(ctx->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) == 0) {
        connection->wants_out = wants_out;
    }
}

int pes_fd(struct pes_ctx *ctx)
{
    if (!ctx) {
        return -PES_E_INVALID_ARGUMENT;
    }
    ctx_enter(ctx);
    return ctx->epoll_fd < 0 ? -PES_E_NO_MEMORY : ctx->epoll_fd;
}

int pes_wait_ms(struct pes_ctx *ctx)
{
    uint64_t now, left, wake_at_us, since_us = UINT64_MAX;

    if (!ctx) {
        return -1;
    }
    ctx_enter(ctx);
    if (ctx->has_news) {
        return 0;
    }
    wake_at_us = ctx->wake_at_us;
    if (ctx->connection) {
        since_us = connection_patient_since_us(ctx->connection);
    }
    if (since_us < UINT64_MAX && since_us + PATIENCE_US < wake_at_us) {
        wake_at_us = since_us + PATIENCE_US;
    }
    if (wake_at_us == UINT64_MAX) {
        return -1;
    }
    now = clock_now_us();
    left = wake_at_us > now ? wake_at_us - now : 0;
    left = (left + 999) / 1000;
    return left > INT_MAX ? INT_MAX : (int)left;
}

int pes_process(struct pes_ctx *ctx)
{
    if (!ctx) {
        return 0;
    }
    ctx_enter(ctx);
    exchange_process(ctx);
    exchange_flush(ctx, true);
    ctx->has_news = false;
    return ctx->n_ready > INT_MAX ? INT_MAX : (int)ctx->n_ready;
}
