/*
 * pes definitions status: how old is what each provider reads, and how did the last update go.
 *
 * What the service serves is shown beside what the store holds, in the provider's own words; a
 * service that does not run leaves that empty. "Fetched" is when the updater last found its source
 * reachable: a source that has nothing new is not stale, an updater that fails for days is.
 */
#include "definitions/status.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pes/pes.h>

#include "base/safe_text.h"
#include "base/sha256.h"
#include "definitions/import.h"
#include "definitions/store.h"
#include "definitions/tell.h"
#include "definitions/update.h"
#include "definitions/update_config.h"

#define QUERY_MS   5000
#define STORES_MAX 64

struct row {
    char version[STORE_VERSION_BYTES];
    char previous[STORE_VERSION_BYTES];
    char digest[2 * SHA256_DIGEST_BYTES + 1];
    char served[128]; /* "" when the service or the provider is not there */
    char state[32];
    char result[32];
    char reason[STORE_TEXT_BYTES];
    double age_s; /* since its source was last seen; negative: never */
    bool is_stale;
    bool was_interrupted;
    bool is_accepted; /* it may find less than the one before */
};

/* Short enough for a line, and harmless. */
static const char *shown(char *out, size_t n_out, const char *text)
{
    safe_text(out, n_out, text, strlen(text));
    return out;
}

static void ask_service(struct row *row, const struct pes_service *service, const char *name)
{
    struct pes_service_info info = {.size_bytes = sizeof(info)};

    if (!service) {
        return;
    }
    pes_service_info(service, &info);
    for (uint32_t i = 0; i < info.n_providers; i++) {
        struct pes_provider_info provider = {.size_bytes = sizeof(provider)};

        if (pes_service_provider(service, i, &provider) == 0 && strcmp(provider.name, name) == 0) {
            shown(row->served, sizeof(row->served), provider.definitions);
            snprintf(row->state, sizeof(row->state), "%s", pes_provider_state_name(provider.state));
        }
    }
}

/* A configuration that is wrong was told of, and its value is the one of the others. */
static uint64_t stale_after_s(const struct status_options *options, const char *name)
{
    CLEANUP(update_config_fini) struct update_config config;
    int r;

    if (options->stale_after_s > 0) {
        return options->stale_after_s;
    }
    r = update_config_load(&config, options->config, name);
    return (r == 0 ? config.stale_after_days : UPDATE_STALE_DAYS) * 86400;
}

static void read_row(struct row *row, const struct store *store, const struct pes_service *service,
                     uint64_t stale_after_s)
{
    char text[STORE_TEXT_BYTES];
    char value[STORE_TEXT_BYTES];

    *row = (struct row){.age_s = -1};
    store_link_get(store, "current", row->version);
    store_link_get(store, "previous", row->previous);
    import_digest(store, row->version, row->digest);
    row->is_accepted = row->version[0] && store_accepted_get(store, row->version);
    store_text_get(store, "fetched", text);
    store_text_value(text, "time", value, sizeof(value));
    if (value[0]) {
        row->age_s = (double)time(NULL) - strtod(value, NULL);
    }
    row->is_stale = row->version[0] == '\0' || row->age_s < 0 || row->age_s > (double)stale_after_s;
    store_text_get(store, "outcome", text);
    store_text_value(text, "result", row->result, sizeof(row->result));
    store_text_value(text, "reason", value, sizeof(value));
    shown(row->reason, sizeof(row->reason), value);
    store_text_get(store, "pending", text);
    row->was_interrupted = text[0] != '\0';
    ask_service(row, service, store->name);
}

static bool needs_attention(const struct row *row)
{
    return row->is_stale || row->was_interrupted || strcmp(row->result, "refused") == 0 ||
           strcmp(row->result, "failed") == 0;
}

static json_t *row_json(const char *name, const struct row *row)
{
    json_t *age = row->age_s < 0 ? json_null() : json_real(row->age_s);

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:b, s:b, s:s, s:s}", "name", name,
                     "version", row->version, "digest", row->digest, "previous", row->previous,
                     "served", row->served, "state", row->state, "age_seconds", age, "stale",
                     (int)row->is_stale, "interrupted", (int)row->was_interrupted, "accepted",
                     (int)row->is_accepted, "last_result", row->result, "last_reason", row->reason);
}

static void print_row(const char *name, const struct row *row)
{
    printf("%s: %s", name, row->version[0] ? row->version : "no definitions yet");
    if (row->state[0]) {
        printf(", served as '%s' (%s)", row->served, row->state);
    }
    if (row->age_s >= 0) {
        printf(", fetched %.1f days ago", row->age_s / 86400);
    }
    printf("%s\n", row->is_stale ? ", STALE" : "");
    if (row->is_accepted) {
        puts("  accepted: it may find less than the one before");
    }
    printf("  before: %s\n", row->previous[0] ? row->previous : "none");
    if (row->result[0]) {
        printf("  last change: %s%s%s\n", row->result, row->reason[0] ? ": " : "", row->reason);
    }
    if (row->was_interrupted) {
        puts("  the last change was interrupted; the next one undoes it");
    }
}

/* One line for somebody who asked for something else. */
static void print_brief(const char *name, const struct row *row)
{
    if (!needs_attention(row)) {
        return;
    }
    printf("%s: ", name);
    if (row->was_interrupted) {
        fputs("the last change of its definitions was interrupted", stdout);
    } else if (row->version[0] == '\0') {
        fputs("it has no definitions yet", stdout);
    } else if (row->is_stale && row->age_s < 0) {
        fputs("its definitions are stale, their source was never reached", stdout);
    } else if (row->is_stale) {
        printf("its definitions are stale, their source was last reached %.1f days ago",
               row->age_s / 86400);
    } else {
        printf("the last change of its definitions was not taken: %s", row->reason);
    }
    puts("; see 'pes definitions status'");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static size_t find_stores(const char *root, char names[STORES_MAX][STORE_NAME_BYTES + 1])
{
    DIR *folder = opendir(root);
    struct dirent *entry;
    size_t n = 0;

    if (!folder) {
        return 0;
    }
    while (n < STORES_MAX && (entry = readdir(folder))) {
        if (store_name_is_good(entry->d_name)) {
            snprintf(names[n++], STORE_NAME_BYTES + 1, "%.*s", STORE_NAME_BYTES, entry->d_name);
        }
    }
    closedir(folder);
    qsort(names, n, sizeof(names[0]), by_name);
    return n;
}

static int show(const struct status_options *options, const char *name,
                const struct pes_service *service, json_t *list, int *status)
{
    CLEANUP(store_fini) struct store store = STORE_INIT;
    struct row row;

    if (store_open(&store, options->root, name, false) < 0) {
        return -1;
    }
    read_row(&row, &store, service, stale_after_s(options, name));
    if (options->is_json) {
        json_array_append_new(list, row_json(name, &row));
    } else if (options->is_brief) {
        print_brief(name, &row);
    } else {
        print_row(name, &row);
    }
    if (needs_attention(&row)) {
        *status = EXIT_REFUSED;
    }
    return 0;
}

int status_run(const struct status_options *options)
{
    static char names[STORES_MAX][STORE_NAME_BYTES + 1];
    struct pes_ctx *ctx = pes_open("pes", PES_VERSION, 0);
    struct pes_service *service = NULL;
    json_t *list = json_array();
    json_t *object = json_pack("{s:o}", "definitions", list);
    size_t n = options->name ? 1 : find_stores(options->root, names);
    int status = EXIT_DONE;

    if (options->name) {
        snprintf(names[0], sizeof(names[0]), "%s", options->name);
    }
    if (!options->is_brief && pes_service_query(ctx, QUERY_MS, &service) < 0) {
        tell("the service does not answer: what it serves is not shown");
    }
    for (size_t i = 0; i < n; i++) {
        if (show(options, names[i], service, list, &status) < 0 && options->name) {
            tell("there are no definitions in '%s/%s'; 'pes definitions update %s' makes them",
                 options->root, names[i], names[i]);
            status = EXIT_FAILED;
        }
    }
    if (options->is_json && object) {
        json_dumpf(object, stdout, 0);
        putchar('\n');
    } else if (n == 0 && !options->is_brief) {
        printf("There are no definitions in '%s'.\n", options->root);
    }
    json_decref(object);
    pes_service_free(service);
    pes_close(ctx);
    return fflush(stdout) == 0 && !ferror(stdout) ? status : EXIT_FAILED;
}
