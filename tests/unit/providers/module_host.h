/*
 * Loads a provider module into the test itself, without a sandbox, and keeps what it says. What the
 * sandbox and the channel add is tested by the conformance suite; here a debugger sees everything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pes/provider.h>

#define MODULE_HOST_FINDINGS_MAX 64

struct pes_load {
    const char *definitions;
    const char *const *options; /* name, value, name, value, NULL; or NULL */
    const char *scratch;        /* or NULL */
    char version[64];
    char note[512];
    char failure[512];
};

struct module_host_finding {
    uint32_t verdict;
    uint32_t severity;
    uint32_t confidence;
    uint32_t advice;
    char detection[129];
    char family[65];
    char rule_id[129];
    char technique[17];
    uint64_t offset; /* of the first range */
    uint64_t length;
    char what[65];
    size_t n_ranges;
};

struct pes_scan {
    uint32_t kind;
    const void *bytes;
    size_t n_bytes;
    uint64_t time_left_us;
    struct module_host_finding findings[MODULE_HOST_FINDINGS_MAX];
    size_t n_findings;
    uint32_t verdict;
    uint32_t coverage;
    uint64_t n_examined;
    char decoded[1025];
    size_t n_decoded;
};

struct module_host {
    const struct pes_provider *provider;
    void *state;
    const char *scratch;   /* folder that load() is told, or NULL */
    uint64_t time_left_us; /* for each scan(); 0: ten seconds */
    struct pes_load load;
};

/* Opens the module at `path`; fails the test when it cannot. */
void module_host_open(struct module_host *host, const char *path);

/* load() with these definitions and options; what it returned. */
int module_host_load(struct module_host *host, const char *definitions, const char *const *options);

/* scan() of this content; what it returned. */
int module_host_scan(struct module_host *host, struct pes_scan *ret_scan, const void *bytes,
                     size_t n_bytes);
int module_host_scan_text(struct module_host *host, struct pes_scan *ret_scan, const char *text);

/* Whether a finding of this name was reported. */
const struct module_host_finding *module_host_found(const struct pes_scan *scan,
                                                    const char *detection);
