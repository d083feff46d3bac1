/* The context: connections, requests under way, and nothing outside of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <pes/client.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "client/client_policy.h"
#include "client/connection.h"
#include "wire/messages.h"

#define CTX_NAME_BYTES   64
#define CTX_DRAINING_MAX 4

struct query;

struct pes_ctx {
    uint8_t *fork_mark; /* a page that the kernel zeroes in a forked child, or NULL */
    pid_t pid;          /* without one: who made it; another one is a forked child */
    int epoll_fd;
    uint32_t can;
    char app_name[CTX_NAME_BYTES + 1];
    char app_version[CTX_NAME_BYTES + 1];

    struct client_policy policy;
    const char *socket_name;    /* PLACE_* */
    bool is_fixed;              /* on a connection that was given: never connects */
    uint32_t fixed_error;       /* why that one was not even tried, or 0 */
    bool was_connected;         /* so pes is installed, whatever the files say */
    enum place_absence absence; /* what the last try found */
    const char *place_error;    /* why it had nowhere to look, or NULL */
    uint32_t last_error;        /* why there is no connection: enum pes_error */

    struct connection *connection; /* for new questions, or NULL */
    struct list draining;          /* connections after goaway */
    size_t n_draining;
    uint64_t last_serial;

    struct list open;     /* requests in the making */
    struct list waiting;  /* started, not sent: in order */
    struct list sent;     /* sent, not answered: in order */
    struct list answered; /* answered */
    size_t n_ready;       /* of those, not yet taken */
    bool has_news;        /* one became ready since pes_process() told */
    uint64_t wake_at_us;  /* no deadline passes before; UINT64_MAX: none */

    struct list reservations; /* asked for */
    struct list answers;      /* that live */
    struct query *query;      /* under way, or NULL */

    struct connection_buffer buffer; /* for what is sent, and what is read from a file */
    uint8_t received[WIRE_MESSAGE_BYTES_MAX];
    struct wire_frame frame; /* points into `received` */
};

/* To be called first by every public function: starts afresh in a forked child. */
void ctx_enter(struct pes_ctx *ctx);

/* The connection of that serial, or NULL. */
struct connection *ctx_connection(struct pes_ctx *ctx, uint64_t serial);

/* Watches a new connection. Returns 0 or -errno. */
MUST_CHECK int ctx_watch(struct pes_ctx *ctx, struct connection *connection);

/* Closes a connection, watched or not, and watches it no longer. Accepts NULL. */
void ctx_disconnect(struct pes_ctx *ctx, struct connection *connection);

/* Whether epoll also wakes up when there is room to write. */
void ctx_watch_out(struct pes_ctx *ctx, struct connection *connection, bool wants_out);
