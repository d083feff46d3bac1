/* The client policy: what holds where there is no broker, and which broker is to be believed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CLIENT_POLICY_RULES_MAX  32
#define CLIENT_POLICY_KIND_BYTES 64
#define CLIENT_POLICY_FILE_BYTES 16384

/* `down.KIND = wish`. */
struct client_policy_rule {
    char kind[CLIENT_POLICY_KIND_BYTES]; /* kind name or prefix.* */
    uint32_t wish;                       /* enum pes_fail_wish */
};

/* A zeroed one is the policy of a machine without a policy file. */
struct client_policy {
    bool is_installed; /* there is a policy file, or should be */
    bool is_lost;      /* a file that was to say what holds could not be used */
    bool is_locked;    /* the environment is not asked */
    bool has_broker_uid;
    uid_t broker_uid;
    uint32_t not_installed; /* enum pes_fail_wish; none: not stated */
    uint32_t down;          /* enum pes_fail_wish; none: not stated */
    struct client_policy_rule rules[CLIENT_POLICY_RULES_MAX];
    size_t n_rules;
    char error
        [256]; /* first thing that is wrong with the file, with its line; or ""; harmless to show */
};

/*
 * Reads the policy of this machine: `system_path`, or `other_path` (may be NULL) in its place
 * unless the first one is locked. Never fails: what cannot be read or understood is told in
 * `error`, and makes the policy stricter. An `other_path` that cannot be used, or is not there,
 * leaves the system's in force besides.
 */
void client_policy_load(struct client_policy *ret_policy, const char *system_path,
                        const char *other_path);

/* The policy of this process: /etc/pes/client.conf and PES_CLIENT_POLICY. */
void client_policy_load_default(struct client_policy *ret_policy);

/* Reads a policy from text; `name` is for the error. */
void client_policy_parse(struct client_policy *ret_policy, const char *name, const char *text,
                         size_t n_text);

/* The enum pes_fail_wish for `kind` when pes is installed and does not answer; never none. */
uint32_t client_policy_down(const struct client_policy *policy, uint32_t kind);

/* The same when pes is not installed. */
uint32_t client_policy_not_installed(const struct client_policy *policy);
