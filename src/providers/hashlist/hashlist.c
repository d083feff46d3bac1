/*
 * hashlist: content whose digest is on a list.
 *
 * The lists are compiled beforehand (`pes definitions build --type hashlist`) and mapped, so that
 * ten million entries cost neither time to load nor memory of one's own. Of the content only the
 * digests are computed that a list has, over all of it and nothing else: one byte more or less is
 * another digest, and what is inside an archive has a digest of its own.
 *
 * Answers: on a deny list, malicious; on a test list, a test sample; on an allow list by SHA-256,
 * known good (by MD5 or SHA-1 only if `weak-allow` says so: two files with the same such digest can
 * be made). On none: no opinion, since most bad content is on no list, and hashing is not looking.
 * If time ran out before the last byte there is no digest, and the answer is partial.
 *
 * Each list has the EICAR test string in every table; it is looked up in all of them before the
 * provider is ready, and again in a worker.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pes/provider.h>

#include "providers/hashlist/content_digests.h"
#include "providers/hashlist/list_set.h"

#define EICAR_BYTES 68

struct hashlist {
    struct list_set set;
    struct content_digests digests;
    bool trusts_weak_allow;
    char eicar[EICAR_BYTES + 1];
    struct pes_sample sample;
};

/* In two halves, so that nobody takes this file or the module for a test. */
static void eicar_put_together(struct hashlist *state)
{
    snprintf(state->eicar, sizeof(state->eicar), "%s%s", "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-",
             "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");
    state->sample = (struct pes_sample){
        .kind = PES_KIND_GENERIC,
        .verdict = PES_VERDICT_TEST_SAMPLE,
        .bytes = state->eicar,
        .n_bytes = EICAR_BYTES,
    };
}

static int lists_prove_themselves(struct pes_load *load, struct hashlist *state)
{
    struct list_hit hit;

    if (content_digests_of(&state->digests, state->eicar, EICAR_BYTES) < 0) {
        pes_load_fail(load, "libcrypto cannot compute the digests that the lists need");
        return -1;
    }
    for (size_t i = 0; i < state->set.n_lists; i++) {
        const struct list_file *list = &state->set.lists[i];

        for (size_t a = 0; a < LIST_N_ALGORITHMS; a++) {
            if (list->header.n_rows[a] > 0 &&
                (list_file_find(list, (enum list_algorithm)a, state->digests.digests[a], &hit) <
                     0 ||
                 hit.action != LIST_TEST)) {
                pes_load_fail(load,
                              "%s: its own test entry is not found by %s; make it again with `pes "
                              "definitions build --type hashlist`",
                              state->set.paths[i], list_algorithm_name((enum list_algorithm)a));
                return -1;
            }
        }
    }
    return 0;
}

static void date_text(uint64_t built, char ret_text[16])
{
    time_t when = (time_t)built;
    struct tm date;

    if (!gmtime_r(&when, &date) || strftime(ret_text, 16, "%Y-%m-%d", &date) == 0) {
        strcpy(ret_text, "undated");
    }
}

/* The version names the oldest list: that is the one to look after. */
static void say_what_was_loaded(struct pes_load *load, const struct hashlist *state)
{
    const struct list_header *oldest = &state->set.lists[0].header;
    uint8_t digest[6] = {0};
    uint64_t n[4] = {0};
    char version[64];
    char date[16];

    for (size_t i = 0; i < state->set.n_lists; i++) {
        const struct list_header *header = &state->set.lists[i].header;

        for (size_t a = 1; a < 4; a++) {
            n[a] += header->n_actions[a];
        }
        for (size_t b = 0; b < sizeof(digest); b++) {
            digest[b] ^= (uint8_t)(header->header_digest[b] + i);
        }
        oldest = header->built < oldest->built ? header : oldest;
    }
    date_text(oldest->built, date);
    snprintf(version, sizeof(version), "%llu entries, %s, %02x%02x%02x%02x%02x%02x",
             (unsigned long long)(n[1] + n[2] + n[3]), date, digest[0], digest[1], digest[2],
             digest[3], digest[4], digest[5]);
    pes_load_version(load, version);
    pes_load_note(load, "%llu denied, %llu allowed, %llu for tests in %zu list%s",
                  (unsigned long long)n[LIST_DENY], (unsigned long long)n[LIST_ALLOW],
                  (unsigned long long)n[LIST_TEST], state->set.n_lists,
                  state->set.n_lists == 1 ? "" : "s");
}

static int options_take(struct pes_load *load, struct hashlist *state)
{
    const char *weak = pes_load_option(load, "weak-allow");

    if (weak && strcmp(weak, "yes") != 0 && strcmp(weak, "no") != 0) {
        pes_load_fail(load, "option weak-allow is '%s'; it can be yes or no", weak);
        return -1;
    }
    state->trusts_weak_allow = weak && strcmp(weak, "yes") == 0;
    return 0;
}

static int lists_load(struct pes_load *load, struct hashlist *state)
{
    const char *paths = pes_load_definitions(load);
    char error[LIST_ERROR_BYTES];
    bool wanted[LIST_N_ALGORITHMS];

    if (list_set_open(&state->set, paths ? paths : "", error) < 0) {
        pes_load_fail(load, "%s", error);
        return -1;
    }
    for (size_t a = 0; a < LIST_N_ALGORITHMS; a++) {
        wanted[a] = list_set_has(&state->set, (enum list_algorithm)a);
    }
    if (content_digests_init(&state->digests, wanted) < 0) {
        pes_load_fail(load, "libcrypto does not offer the digests that the lists need");
        return -1;
    }
    return lists_prove_themselves(load, state);
}

static int hashlist_load(struct pes_load *load, void **ret_state)
{
    struct hashlist *state = calloc(1, sizeof(*state));

    if (!state) {
        pes_load_fail(load, "out of memory");
        return -1;
    }
    eicar_put_together(state);
    if (options_take(load, state) < 0 || lists_load(load, state) < 0) {
        content_digests_fini(&state->digests);
        list_set_fini(&state->set);
        free(state);
        return -1;
    }
    say_what_was_loaded(load, state);
    *ret_state = state;
    return 0;
}

static void finding_report(struct pes_scan *scan, const struct list_hit *hit,
                           enum list_algorithm algorithm, size_t n_bytes)
{
    char rule_id[LIST_NAME_BYTES_MAX + 16];
    struct pes_found found = {
        .size_bytes = sizeof(found),
        .verdict = PES_VERDICT_MALICIOUS,
        .severity = PES_SEVERITY_HIGH,
        .confidence = 95,
        .advice = PES_ADVICE_DO_NOT_RUN,
        .detection = hit->name,
        .rule_id = rule_id,
    };

    if (hit->action == LIST_TEST) {
        found.verdict = PES_VERDICT_TEST_SAMPLE;
        found.severity = PES_SEVERITY_NONE;
        found.confidence = 100;
        found.advice = PES_ADVICE_TEST_ONLY;
    }
    snprintf(rule_id, sizeof(rule_id), "%s:%s", hit->source, list_algorithm_name(algorithm));
    pes_scan_evidence(scan, pes_scan_find(scan, &found), 0, n_bytes, "whole content");
}

static int hashlist_scan(void *data, struct pes_scan *scan)
{
    struct hashlist *state = data;
    bool is_damaged = false;
    bool is_known_good = false;
    struct list_hit hit;
    size_t n_bytes;
    size_t n_done;

    (void)pes_scan_bytes(scan, &n_bytes);
    if (content_digests_scan(&state->digests, scan, &n_done) < 0) {
        return -1;
    }
    if (n_done < n_bytes) {
        pes_scan_coverage(scan, PES_COVERAGE_PARTIAL_TIME, n_done);
        return 0;
    }
    pes_scan_verdict(scan, PES_VERDICT_NO_OPINION);
    pes_scan_coverage(scan, PES_COVERAGE_FULL, n_bytes);
    for (size_t a = 0; a < LIST_N_ALGORITHMS; a++) {
        if (list_set_find(&state->set, (enum list_algorithm)a, state->digests.digests[a], &hit) <
            0) {
            is_damaged = true;
        } else if (hit.action == LIST_DENY || hit.action == LIST_TEST) {
            finding_report(scan, &hit, (enum list_algorithm)a, n_bytes);
            return 0;
        } else if (hit.action == LIST_ALLOW && (a == LIST_SHA256 || state->trusts_weak_allow)) {
            is_known_good = true;
        }
    }
    if (is_damaged) {
        fprintf(stderr, "hashlist: a list is damaged on disk; make it again\n");
        return -1; /* what cannot be read cannot be said to be absent */
    }
    if (is_known_good) {
        pes_scan_verdict(scan, PES_VERDICT_KNOWN_GOOD);
    }
    return 0;
}

static size_t hashlist_samples(void *data, const struct pes_sample **ret_samples)
{
    const struct hashlist *state = data;

    *ret_samples = &state->sample;
    return 1;
}

/* Whole files and bodies, and with script.* fragments as well, which costs a lookup each. What is
 * typed, pasted or asked of a person has no digest that anybody lists. */
const struct pes_provider *pes_provider_v1(void)
{
    static const char *const kinds[] = {"script.*",          "code.*",
                                        "document.*",        "archive",
                                        "download",          "mail.*",
                                        "http.request.body", "http.response.body",
                                        "package",           "container.layer",
                                        "model.file",        "config",
                                        "generic",           NULL};
    static const struct pes_provider provider = {
        .size_bytes = sizeof(provider),
        .abi = PES_PROVIDER_ABI,
        .registry_version = PES_REGISTRY_VERSION,
        .name = "hashlist",
        .version = PES_VERSION,
        .kinds = kinds,
        .load = hashlist_load,
        .scan = hashlist_scan,
        .samples = hashlist_samples,
    };

    return &provider;
}
