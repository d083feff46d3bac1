/* One way to have content judged, or a part of what that costs: what is measured in turns. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

/* What the sides need from outside. */
struct side_setup {
    struct engine *engine;    /* NULL: none */
    const char *clamd_socket; /* NULL: none */
    uint32_t kind;
    bool is_marked_found; /* the mark is something that must be found */
};

struct side {
    const char *name;
    /* The state of one client; called by the main thread, one after another. Ends the program
     * when it fails. */
    void *(*open)(const struct side_setup *setup);
    /* Called by the client's thread before the first ask() and after the last, or NULL. */
    void (*enter)(void *state);
    void (*leave)(void *state);
    /* Judges and checks the answer, which must be honest; ends the program when it is not. */
    void (*ask)(void *state, const void *bytes, size_t n_bytes, bool is_marked);
    /* Called in the opposite order of open(). */
    void (*close)(void *state);
};

/* Ends the program with a message. */
__attribute__((noreturn)) void side_fail(const char *what);

extern const struct side side_spread, side_pinned; /* relay.h, bare */
extern const struct side side_pes;
extern const struct side side_engine;          /* in this process */
extern const struct side side_copy, side_hash; /* into a memfd; one pass of SHA-256 */
/* clamd: a connection for each question, or one that is kept. */
extern const struct side side_instream, side_fildes, side_instream_kept, side_fildes_kept;
