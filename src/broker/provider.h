/*
 * Providers, their generations and the slots of their workers.
 *
 * A provider has at most one instance that serves and others that load or run out. A slot holds at
 * most one worker; a worker has at most one part of one question.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "broker/action_list.h"
#include "broker/share.h"
#include "broker/stats.h"
#include "broker/timer.h"

#define PROVIDERS_MAX         STATS_PROVIDERS_MAX
#define PROVIDER_SLOTS_MAX    16
#define PROVIDER_NAME_BYTES   64
#define PROVIDER_REASON_BYTES 512

struct core;
struct part;

enum slot_state {
    SLOT_EMPTY = 0,
    SLOT_SPAWNING = 1, /* asked for; may be given a scan already, which waits in its channel */
    SLOT_LIVE = 2,
    SLOT_DYING = 3, /* killed, or its channel broke; init has not said how it ended */
};

struct slot {
    enum slot_state state;
    uint32_t index;
    uint64_t generation;
    bool has_uid;
    uint32_t uid; /* the one user that it serves */
    uint32_t n_scans;
    uint64_t cpu_us;   /* what its answers said it took; init tells the truth in the end */
    struct part *part; /* what it works on; while dying, too, unless that was answered already */
    bool is_broken;    /* its channel broke before we ended it: how it ended is its own doing */
};

enum instance_state {
    INSTANCE_LOADING = 0,
    INSTANCE_READY = 1,
    INSTANCE_RETIRING = 2, /* a newer one serves */
};

/* What a generation showed in its trial; the next one has to show as much. */
struct proof {
    bool is_known;
    uint32_t n_samples;    /* of its own that it found */
    uint32_t test_strings; /* that it objects to, bits as in base/test_strings.h */
};

struct instance {
    struct list node; /* in provider.instances, oldest first */
    struct provider *provider;
    uint32_t handle;
    enum instance_state state;
    uint64_t generation;
    uint64_t kinds[2]; /* bit set by kind number */
    char version[PROVIDER_NAME_BYTES + 1];
    char definitions[PROVIDER_NAME_BYTES + 1];
    char note[PROVIDER_REASON_BYTES + 1];
    bool is_restored; /* it served before, and is back since what followed it failed */
    bool is_accepted; /* it may prove less than the one before */
    struct proof proof;
    bool takes_beginnings; /* what it finds in one of a stream holds for the whole */
    size_t n_slots;
    struct slot slots[PROVIDER_SLOTS_MAX];
    uint64_t last_slot_generation;
    unsigned n_early_deaths; /* workers in a row that died without an answer to their name */
    struct timer respawn;
};

struct provider {
    bool is_used; /* this row has a name, and keeps it until another one needs the row */
    bool is_configured;
    bool is_off;
    bool is_advisory;
    bool is_unsigned;
    uint32_t index;
    char name[PROVIDER_NAME_BYTES + 1];
    uint32_t n_workers;
    uint32_t timeout_ms;
    uint32_t scans_per_worker;
    uint32_t mode;
    uint32_t state; /* enum pes_provider_state, while no instance serves */
    char reason[PROVIDER_REASON_BYTES + 1];
    uint64_t refused_generation; /* the newest that was given up */
    uint64_t newest_generation;  /* the newest that was started, or could not be */
    struct proof made_room;      /* of one that was ended so that the next could be loaded */
    uint64_t ended_generation;   /* the last that served and is gone, and what it proved */
    struct proof ended_proof;
    bool has_kinds; /* has described itself at least once */
    uint64_t kinds[2];
    struct list instances;
    struct list waiting; /* parts, oldest first */
    size_t n_parts;      /* of questions that are not answered yet */
    struct share share;  /* of its time, between users */
    struct timer kept;   /* until when a free worker is kept for somebody */
    struct provider_stats stats;
    uint64_t log_window_us; /* since when log lines of this provider are counted */
    unsigned n_logged;
};

void provider_init(struct provider *provider, uint32_t index);
void provider_fini(struct provider *provider, struct core *core);

/* The instance that serves, or NULL. */
struct instance *provider_serving(const struct provider *provider);

/* Whether it takes a kind, as far as is known: one that never described itself may take any. */
bool provider_takes(const struct provider *provider, uint32_t kind);

/* Whether it can be asked about the beginning of a stream of this kind. */
bool provider_takes_beginning(const struct provider *provider, uint32_t kind);

/* Status of a part that cannot be given to it now. */
uint32_t provider_absence(const struct provider *provider);

/* Puts a part into the line: before what its user has there for which nobody waits, if somebody
 * waits for it. */
void provider_queue(struct provider *provider, struct part *part);

/* Gives waiting parts to workers. */
void provider_dispatch(struct core *core, struct provider *provider, uint64_t now_us);

/* It has described itself: ends what waits and is not its kind. */
void provider_review_waiting(struct core *core, struct provider *provider, uint64_t now_us);

/* Nobody will come soon: ends what waits, with the reason for the absence. */
void provider_release_waiting(struct core *core, struct provider *provider, uint64_t now_us);

/* Ends the worker that has this part; the slot is filled again when init says how it ended. */
void provider_abandon(struct core *core, struct part *part);

/* The worker that had this part was too slow: counts against the provider, and is logged. */
void provider_count_timeout(struct core *core, const struct part *part, uint64_t now_us);

/* At most ten lines a second about one provider. */
bool provider_may_log(struct provider *provider, uint64_t now_us);

/* A new generation: its init's channel is `handle`. Returns 0 or -ENOMEM. */
MUST_CHECK int provider_add_instance(struct core *core, struct provider *provider, uint32_t handle,
                                     const struct wire_instance *message);

/* Keeps why a generation is not there, escaped, for whoever asks for the list. */
void provider_set_reason(struct provider *provider, uint64_t generation, const char *text,
                         size_t n_text);

/* The launcher says that a generation is gone or never came. */
void provider_lost_instance(struct core *core, struct provider *provider, uint64_t generation,
                            const char *reason, bool will_retry, uint64_t now_us);
