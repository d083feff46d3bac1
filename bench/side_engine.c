/* The engine in this process, as applications do it today; and the bare relay. */
#include <stdlib.h>

#include "engine.h"
#include "relay.h"
#include "side.h"

#define INLINE_MAX 32768u

struct scanner {
    struct engine_scanner *scanner;
    bool is_marked_found;
};

static void *engine_side_open(const struct side_setup *setup)
{
    struct scanner *scanner = calloc(1, sizeof(*scanner));

    if (!scanner) {
        side_fail("out of memory");
    }
    scanner->scanner = engine_scanner_new(setup->engine);
    scanner->is_marked_found = setup->is_marked_found;
    return scanner;
}

static void engine_side_ask(void *state, const void *bytes, size_t n_bytes, bool is_marked)
{
    struct scanner *scanner = state;
    bool must_find = is_marked && scanner->is_marked_found;

    if ((engine_scan(scanner->scanner, bytes, n_bytes) > 0) != must_find) {
        side_fail("the engine in this process found what is not there, or missed the mark");
    }
}

static void engine_side_close(void *state)
{
    struct scanner *scanner = state;

    engine_scanner_free(scanner->scanner);
    free(scanner);
}

static void *relay_open(bool is_pinned)
{
    struct relay *relay = calloc(1, sizeof(*relay));

    if (!relay) {
        side_fail("out of memory");
    }
    relay_start(relay, is_pinned);
    return relay;
}

static void *spread_open(const struct side_setup *setup)
{
    return relay_open(false);
}

static void *pinned_open(const struct side_setup *setup)
{
    return relay_open(true);
}

static void relay_side_enter(void *state)
{
    relay_enter(state);
}

static void relay_side_leave(void *state)
{
    relay_leave();
}

/* Larger content does not travel through sockets but through shared memory. */
static void relay_side_ask(void *state, const void *bytes, size_t n_bytes, bool is_marked)
{
    relay_ask(state, bytes, n_bytes <= INLINE_MAX ? n_bytes : 64);
}

static void relay_side_close(void *state)
{
    relay_stop(state);
    free(state);
}

const struct side side_engine = {
    .name = "engine",
    .open = engine_side_open,
    .ask = engine_side_ask,
    .close = engine_side_close,
};

const struct side side_spread = {
    .name = "spread",
    .open = spread_open,
    .enter = relay_side_enter,
    .leave = relay_side_leave,
    .ask = relay_side_ask,
    .close = relay_side_close,
};

const struct side side_pinned = {
    .name = "pinned",
    .open = pinned_open,
    .enter = relay_side_enter,
    .leave = relay_side_leave,
    .ask = relay_side_ask,
    .close = relay_side_close,
};
