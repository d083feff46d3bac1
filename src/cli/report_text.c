/*
 * `pes report` for people.
 *
 * The order is: how long did anybody wait, who is it because of, who waited, what was found, what
 * would be stopped, what was not checked. Two numbers stand for each provider, since either alone
 * misleads: its share, and what removing it alone would save. Where two hide behind each other,
 * that is said.
 */
#include <stdio.h>
#include <stdlib.h>

#include <pes/pes.h>

#include "cli/human.h"
#include "cli/provider_words.h"
#include "cli/report.h"
#include "cli/table.h"

#define LISTED_MAX 5u
/* The service tells of fewer. */
#define COUNTS_MAX 128
/* When removing two together is worth telling (seconds, and times what each alone saves). */
#define TOGETHER_SECONDS 10.0
#define TOGETHER_FACTOR  3.0

static const struct table_column columns[] = {
    {.heading = "WHO"},
    {.heading = "share", .is_right = 1},
    {.heading = "", .is_right = 1},
    {.heading = "removing it alone"},
    {.heading = "p50/p95/p99 (n)"},
    {.heading = "timeouts", .is_right = 1},
    {.heading = "crashes"},
    {.heading = "found / only it", .is_right = 1},
};
#define N_COLUMNS  (sizeof(columns) / sizeof(columns[0]))
#define CELL_BYTES 192

static void share_cells(char percent[static HUMAN_BYTES], char time[static HUMAN_BYTES],
                        double share, double total)
{
    if (total > 0) {
        double value = 100 * share / total;

        snprintf(percent, HUMAN_BYTES, value > 0 && value < 0.5 ? "< 1 %%" : "%.0f %%", value);
    } else {
        snprintf(percent, HUMAN_BYTES, "-");
    }
    human_duration(time, share);
}

static int add_provider(struct libscols_table *table, const struct pes_service *service,
                        uint32_t index, double total)
{
    struct pes_provider_info p = {.size_bytes = sizeof(p)};
    CLEANUP(freep) char *crashes = crash_words_dup(service, index);
    char percent[HUMAN_BYTES], time[HUMAN_BYTES], a[HUMAN_BYTES], b[HUMAN_BYTES], c[HUMAN_BYTES];
    char n[HUMAN_BYTES], who[CELL_BYTES], saves[CELL_BYTES], quantiles[4 * HUMAN_BYTES + 8];
    char timeouts[HUMAN_BYTES], found[2 * HUMAN_BYTES + 4];

    if (pes_service_provider(service, index, &p) < 0) {
        return 0;
    }
    share_cells(percent, time, p.wait_share_seconds, total);
    snprintf(who, sizeof(who), "%s %s", p.name, p.version);
    snprintf(saves, sizeof(saves), "saves %s", human_duration(a, p.saved_if_removed_seconds));
    snprintf(quantiles, sizeof(quantiles), "%s / %s / %s (%s)", human_quantile(a, p.p50_seconds),
             human_quantile(b, p.p95_seconds), human_quantile(c, p.p99_seconds),
             human_count(n, p.n_answers));
    snprintf(found, sizeof(found), "%s / %s", human_count(a, p.n_found),
             human_count(b, p.n_found_alone));
    return table_add(table,
                     (const char *[N_COLUMNS]){who, percent, time, saves, quantiles,
                                               human_count(timeouts, p.n_timeouts),
                                               crashes && crashes[0] ? crashes : "0", found},
                     N_COLUMNS);
}

static int print_providers(const struct pes_service *service, const struct pes_service_info *info)
{
    CLEANUP(table_freep) struct libscols_table *table = NULL;
    char percent[HUMAN_BYTES], time[HUMAN_BYTES];
    int r = table_new(&table, columns, N_COLUMNS);

    for (uint32_t i = 0; r == 0 && i < info->n_providers; i++) {
        r = add_provider(table, service, i, info->wait_seconds);
    }
    if (r < 0) {
        return r;
    }
    share_cells(percent, time, info->broker_wait_share_seconds, info->wait_seconds);
    r = table_add(table, (const char *[N_COLUMNS]){"(broker)", percent, time}, N_COLUMNS);
    return r < 0 ? r : table_print(table);
}

/* Two providers that hide behind each other: removing one changes little, both much. */
static void print_together(const struct pes_service *service, const struct pes_service_info *info)
{
    for (uint32_t i = 0; i < info->n_providers && i < 63; i++) {
        for (uint32_t j = i + 1; j < info->n_providers && j < 63; j++) {
            struct pes_provider_info a = {.size_bytes = sizeof(a)};
            struct pes_provider_info b = {.size_bytes = sizeof(b)};
            char both_text[HUMAN_BYTES], a_text[HUMAN_BYTES], b_text[HUMAN_BYTES];
            double both =
                pes_service_saved_if_removed(service, (uint64_t)1 << i | (uint64_t)1 << j);

            if (pes_service_provider(service, i, &a) < 0 ||
                pes_service_provider(service, j, &b) < 0) {
                continue;
            }
            if (both >= TOGETHER_SECONDS &&
                both >=
                    TOGETHER_FACTOR * (a.saved_if_removed_seconds + b.saved_if_removed_seconds)) {
                printf("TOGETHER       %s and %s make applications wait together: removing both "
                       "saves %s, %s alone %s, %s alone %s\n",
                       a.name, b.name, human_duration(both_text, both), a.name,
                       human_duration(a_text, a.saved_if_removed_seconds), b.name,
                       human_duration(b_text, b.saved_if_removed_seconds));
            }
        }
    }
}

static int compare_waits(const void *a, const void *b)
{
    const struct pes_count_info *x = a;
    const struct pes_count_info *y = b;

    return (x->wait_seconds < y->wait_seconds) - (x->wait_seconds > y->wait_seconds);
}

static int compare_counts(const void *a, const void *b)
{
    const struct pes_count_info *x = a;
    const struct pes_count_info *y = b;

    return (x->count < y->count) - (x->count > y->count);
}

typedef int (*count_fn)(const struct pes_service *service, uint32_t index,
                        struct pes_count_info *ret_info);

/* Gets them all, the greatest first. Return: how many. */
static uint32_t sorted_counts(struct pes_count_info counts[static COUNTS_MAX],
                              const struct pes_service *service, count_fn get,
                              int (*compare)(const void *, const void *))
{
    uint32_t n = 0;

    while (n < COUNTS_MAX) {
        counts[n] = (struct pes_count_info){.size_bytes = sizeof(counts[n])};
        if (get(service, n, &counts[n]) < 0) {
            break;
        }
        n++;
    }
    qsort(counts, n, sizeof(counts[0]), compare);
    return n;
}

static void print_others(uint32_t n)
{
    if (n > LISTED_MAX) {
        printf("; %u other%s", n - LISTED_MAX, n == LISTED_MAX + 1 ? "" : "s");
    }
    putchar('\n');
}

static void print_clients(const struct pes_service *service)
{
    struct pes_count_info clients[COUNTS_MAX];
    uint32_t n = sorted_counts(clients, service, pes_service_client, compare_waits);
    char text[HUMAN_BYTES];

    if (n == 0) {
        return;
    }
    fputs("WHO WAITED     ", stdout);
    for (uint32_t i = 0; i < n && i < LISTED_MAX; i++) {
        const struct pes_count_info *c = &clients[i];

        printf("%s%s %s", i ? "; " : "", c->name[0] ? c->name : "(unknown)",
               human_duration(text, c->wait_seconds));
        if (c->blamed[0]) {
            printf(" (%s for %s)", human_duration(text, c->blamed_seconds), c->blamed);
        }
    }
    print_others(n);
}

static void print_kinds(const struct pes_service *service)
{
    struct pes_count_info kinds[COUNTS_MAX];
    uint32_t n = sorted_counts(kinds, service, pes_service_kind, compare_counts);
    char text[HUMAN_BYTES];

    if (n == 0) {
        return;
    }
    fputs("KINDS          ", stdout);
    for (uint32_t i = 0; i < n && i < LISTED_MAX; i++) {
        printf("%s%s %s", i ? "; " : "", kinds[i].name, human_count(text, kinds[i].count));
    }
    print_others(n);
}

static void print_head(const struct pes_service_info *info)
{
    char a[HUMAN_BYTES], b[HUMAN_BYTES], c[HUMAN_BYTES], d[HUMAN_BYTES];

    printf("Since the service started %s ago: %s question%s\n",
           human_duration(a, (double)info->uptime_us / 1e6), human_count(b, info->n_scans),
           info->n_scans == 1 ? "" : "s");
    printf("APPS WAITED    %s", human_duration(a, info->wait_seconds));
    if (info->n_scans > 0) {
        printf("; a question p50 %s, p95 %s, p99 %s, longest %s",
               human_quantile(a, info->wait_p50_seconds), human_quantile(b, info->wait_p95_seconds),
               human_quantile(c, info->wait_p99_seconds),
               human_quantile(d, info->wait_max_seconds));
    }
    puts("\n");
}

static void print_decisions(const struct pes_service_info *info)
{
    char a[HUMAN_BYTES], b[HUMAN_BYTES], c[HUMAN_BYTES];

    printf("FOUND          %s; stopped %s, warned about %s\n", human_count(a, info->n_found),
           human_count(b, info->n_blocked), human_count(c, info->n_warned));
    if (info->n_overridden > 0) {
        printf("WENT AHEAD     %s against the advice\n", human_count(a, info->n_overridden));
    }
    printf("WOULD BLOCK    %s if everything were enforced; the mode is %s\n",
           human_count(a, info->n_would_block), pes_mode_name(info->mode));
    printf("NOT CHECKED    %s in full\n", human_count(a, info->n_unchecked));
}

int report_print_text(const struct pes_service *service)
{
    struct pes_service_info info = {.size_bytes = sizeof(info)};
    int r;

    pes_service_info(service, &info);
    print_head(&info);
    r = print_providers(service, &info);
    if (r < 0) {
        return r;
    }
    putchar('\n');
    print_together(service, &info);
    print_clients(service);
    print_kinds(service);
    print_decisions(&info);
    return 0;
}
