/*
 * The configuration: pes.conf and one file per provider in providers.d.
 *
 * docs/configuration.md lists every key. A configuration is parsed whole and taken whole or not at
 * all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pes/enums.h>

#include "base/cleanup.h"
#include "launcher/config_parse.h"
#include "launcher/paths.h"
#include "launcher/problems.h"

/* As many as a configure message holds. */
#define CONFIG_PROVIDERS_MAX 16
#define CONFIG_RULES_MAX     64

/* Of a rule's kind and app, in bytes: what the broker's policy holds. */
#define CONFIG_KIND_MAX 64
#define CONFIG_APP_MAX  255

/* Paths of definitions for one provider: as many as pes-host lets it read. */
#define CONFIG_DEFINITIONS_MAX 8

/* The longest time that a question or a scan may be given. */
#define CONFIG_TIMEOUT_MS_MAX (10 * 60 * 1000)

/* From start to ready, where nothing else is said. */
#define CONFIG_LOAD_TIMEOUT_MS 60000

/* Uids for providers: `provider-base` and the ones after it. Twice as many as there may be
 * providers: a generation that ends keeps its own until it has. */
#define CONFIG_PROVIDER_UIDS 32

/* How new definitions take the place of those before. */
enum config_swap {
    CONFIG_SWAP_AUTO = 1,     /* as memory allows */
    CONFIG_SWAP_PARALLEL = 2, /* loaded beside them, which serve on */
    CONFIG_SWAP_SERIAL = 3,   /* loaded after they were ended */
};

struct config_provider {
    char *name;
    char *file;        /* that configures it; NULL: built in */
    char *module;      /* absolute after config_load() */
    char *definitions; /* absolute after config_load(); NULL: none */
    uint32_t module_line;
    uint32_t definitions_line; /* where they stand in `file`; 0: nowhere */
    struct config_list options;
    uint64_t n_workers;
    uint64_t timeout_ms; /* 0: as long as the question has */
    uint64_t mode;       /* enum pes_mode, none: the global one */
    uint64_t is_enabled;
    uint64_t is_advisory;
    uint64_t is_optional; /* off, when its module is not there */
    uint64_t memory_mib;  /* 0: what pes-init sets */
    uint64_t scratch_mib; /* 0: no temporary files */
    uint64_t load_timeout_ms;
    uint64_t swap; /* enum config_swap */
    uint64_t scans_per_worker;
};

struct config_rule {
    char *title;
    char *kind; /* NULL: every kind */
    char *app;  /* NULL: every application */
    uint64_t mode;
    uint64_t fail;
};

/* A user that a process runs as, resolved by config_load() in system mode. */
struct config_user {
    char *text;
    uint32_t line; /* where it stands; 0: nowhere */
    uint32_t uid;
    uint32_t gid;
};

struct config {
    uint64_t mode;
    uint64_t fail_execution;
    uint64_t fail_other;
    uint64_t max_content_bytes;
    uint64_t max_sessions_per_uid;
    uint64_t max_in_flight_per_uid;
    uint64_t max_bytes_per_uid;
    uint32_t max_content_line;
    uint32_t max_bytes_line; /* where they stand; 0: nowhere */
    uint64_t default_timeout_ms;
    uint64_t allows_unsigned;
    uint64_t min_tier; /* below it no provider is started */
    struct config_user broker;
    struct config_user identity;
    struct config_user receiver;
    uint64_t provider_base;
    size_t n_rules;
    struct config_rule rules[CONFIG_RULES_MAX];
    size_t n_providers;
    struct config_provider providers[CONFIG_PROVIDERS_MAX];
};

/* What the command line and the surroundings say. */
struct config_place {
    const struct paths *paths;
    const char *folder; /* NULL: built-in defaults and every module of the provider folder */
    bool is_system;
    bool allows_unsigned; /* whatever the file says */
    enum pes_mode mode;   /* instead of the file's, unless none */
};

enum config_outcome {
    CONFIG_E_BAD = 1, /* what is wrong stands in the problems; nothing was taken */
};

/* The defaults, without any provider. */
void config_init(struct config *config);

/* Frees everything; config_init() makes it usable again. */
void config_fini(struct config *config);

/*
 * Reads and checks everything. `ret` is written only when it returns 0; else CONFIG_E_BAD or
 * -ENOMEM.
 */
MUST_CHECK int config_load(struct config *ret, const struct config_place *place,
                           struct problems *problems);
