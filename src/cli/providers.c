/*
 * pes providers: who answers questions, and how they do.
 *
 * A table of what was counted, then for each provider what it takes and what is wrong with it: the
 * reason why it is not ready, or that it is not signed. Crashes are told by signal, not as a sum.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pes/pes.h>

#include "base/cleanup.h"
#include "cli/attention.h"
#include "cli/command.h"
#include "cli/human.h"
#include "cli/json_text.h"
#include "cli/outcome.h"
#include "cli/provider_words.h"
#include "cli/service.h"
#include "cli/table.h"

static const struct table_column columns[] = {
    {.heading = "NAME"},
    {.heading = "VERSION"},
    {.heading = "DEFINITIONS"},
    {.heading = "STATE"},
    {.heading = "MODE"},
    {.heading = "SCANS", .is_right = 1},
    {.heading = "TIMEOUTS", .is_right = 1},
    {.heading = "FOUND", .is_right = 1},
    {.heading = "CRASHES"},
};
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static json_t *kinds_json(const struct pes_provider_info *provider)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < provider->n_kinds; i++) {
        json_array_append_new(list, json_string(pes_kind_name(provider->kinds[i])));
    }
    return list;
}

static json_t *provider_json(const struct pes_service *service, uint32_t index,
                             const struct pes_provider_info *provider)
{
    return json_pack(
        "{s:o, s:o, s:o, s:s, s:o, s:o, s:s, s:b, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, "
        "s:I, s:I, s:b}",
        "name", json_text_or_null(provider->name), "version", json_text_or_null(provider->version),
        "definitions", json_text_or_null(provider->definitions), "state",
        pes_provider_state_name(provider->state), "reason", json_text_or_null(provider->reason),
        "kinds", kinds_json(provider), "mode", pes_mode_name(provider->mode), "unsigned",
        (int)provider->is_unsigned, "workers", (int)provider->n_workers, "generation",
        (json_int_t)provider->generation, "scans", (json_int_t)provider->n_scans, "answers",
        (json_int_t)provider->n_answers, "timeouts", (json_int_t)provider->n_timeouts, "crashes",
        (json_int_t)provider->n_crashes, "limits", (json_int_t)provider->n_limits, "restarts",
        (json_int_t)provider->n_restarts, "signals", crash_json(service, index), "found",
        (json_int_t)provider->n_found, "partial", (json_int_t)provider->n_partial,
        "takes_beginnings", (int)provider->takes_beginnings);
}

static int print_json(const struct pes_service *service, uint32_t n_providers)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < n_providers; i++) {
        struct pes_provider_info provider = {.size_bytes = sizeof(provider)};

        if (pes_service_provider(service, i, &provider) == 0) {
            json_array_append_new(list, provider_json(service, i, &provider));
        }
    }
    return json_print_line(json_pack("{s:o}", "providers", list));
}

static int add_provider(struct libscols_table *table, const struct pes_service *service,
                        uint32_t index, const struct pes_provider_info *provider)
{
    CLEANUP(freep) char *crashes = crash_words_dup(service, index);
    char state[HUMAN_BYTES];
    char mode[HUMAN_BYTES];
    char scans[HUMAN_BYTES];
    char timeouts[HUMAN_BYTES];
    char found[HUMAN_BYTES];
    const char *cells[N_COLUMNS] = {
        provider->name,
        provider->version,
        provider->definitions,
        human_words(state, pes_provider_state_name(provider->state)),
        /* Without one of its own the service's mode holds. */
        provider->mode != PES_MODE_NONE ? human_words(mode, pes_mode_name(provider->mode)) : "-",
        human_count(scans, provider->n_scans),
        human_count(timeouts, provider->n_timeouts),
        human_count(found, provider->n_found),
        crashes && crashes[0] ? crashes : "0",
    };

    return table_add(table, cells, N_COLUMNS);
}

static uint32_t count_kinds(void)
{
    uint32_t n = 0;

    while (pes_kind_at(n) != PES_KIND_NONE) {
        n++;
    }
    return n;
}

static void print_details(const struct pes_provider_info *provider,
                          const struct attention *attention)
{
    printf("%s takes", provider->name);
    if (provider->n_kinds > 0 && provider->n_kinds == count_kinds()) {
        fputs(" every kind", stdout);
    } else {
        for (uint32_t i = 0; i < provider->n_kinds; i++) {
            printf("%s%s", i ? ", " : " ", pes_kind_name(provider->kinds[i]));
        }
    }
    puts(provider->n_kinds ? "." : " no kind yet.");
    if (provider->takes_beginnings) {
        printf("%s may find something in a stream before all of it has come.\n", provider->name);
    }
    if (provider->is_unsigned) {
        printf("%s is not signed; it runs because that was allowed.\n", provider->name);
    }
    if (provider->reason[0]) {
        printf("%s: %s\n", provider->name, provider->reason);
    }
    attention_print(attention, provider->name, "");
}

static int print_text(const struct pes_service *service, const struct pes_service_info *info)
{
    CLEANUP(attention_fini) struct attention attention = ATTENTION_INIT;
    CLEANUP(table_freep) struct libscols_table *table = NULL;
    int r = table_new(&table, columns, N_COLUMNS);
    uint32_t n_providers = info->n_providers;

    if (n_providers == 0) {
        puts("No provider is there: nothing is being checked.");
        return r;
    }
    for (uint32_t i = 0; r == 0 && i < n_providers; i++) {
        struct pes_provider_info provider = {.size_bytes = sizeof(provider)};

        if (pes_service_provider(service, i, &provider) == 0) {
            r = add_provider(table, service, i, &provider);
        }
    }
    if (r < 0) {
        return r;
    }
    r = table_print(table);
    putchar('\n');
    attention_load(&attention, info->is_system);
    for (uint32_t i = 0; i < n_providers; i++) {
        struct pes_provider_info provider = {.size_bytes = sizeof(provider)};

        if (pes_service_provider(service, i, &provider) == 0) {
            print_details(&provider, &attention);
        }
    }
    return r;
}

static int run(int argc, char **argv)
{
    CLEANUP(service_freep) struct pes_service *service = NULL;
    struct pes_service_info info = {.size_bytes = sizeof(info)};
    struct command_output output;
    int r = command_parse_output(&command_providers, argc, argv, &output);

    if (r != COMMAND_GO) {
        return r;
    }
    if (service_get(&service, 0) < 0) {
        return EXIT_NOT_ASKED;
    }
    pes_service_info(service, &info);
    r = output.is_json ? print_json(service, info.n_providers) : print_text(service, &info);
    if (r < 0) {
        fprintf(stderr, "pes: %s\n", strerror(-r));
        return EXIT_NOT_ASKED;
    }
    return command_finish(EXIT_CLEAN);
}

static const char help_text[] =
    "Usage: pes providers [--json]\n"
    "\n"
    "Lists who answers questions: version, definitions, state and why, kinds, what was\n"
    "asked, answered late, found, and what its workers died of.\n"
    "\n"
    "      --json           one JSON object on stdout\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0, or 2 when the service does not answer. 64 wrong use.\n";

const struct command command_providers = {
    .name = "providers",
    .summary = "who answers questions, and how they do",
    .help = help_text,
    .run = run,
};
