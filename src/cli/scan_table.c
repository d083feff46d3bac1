/*
 * `pes scan` for people.
 *
 * One row for each provider that found something and for each that did not look at everything, and
 * one for what could not be asked: name, verdict, who, what. Below a finding stands the service's
 * sentence about it. What is clean has a row only when asked for. Rows are collected and printed in
 * batches, each aligned in itself, so that neither a long scan nor a slow pipe makes anybody wait
 * for the end.
 */
#include "cli/scan_table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pes/pes.h>

#include "cli/human.h"
#include "cli/outcome.h"
#include "cli/table.h"

#define BATCH_ROWS 200
#define CELL_BYTES 256

enum {
    COLUMN_NAME,
    COLUMN_VERDICT,
    COLUMN_WHO,
    COLUMN_WHAT,
    N_COLUMNS
};

static const struct table_column columns[N_COLUMNS] = {
    [COLUMN_NAME] = {.heading = "NAME"},
    [COLUMN_VERDICT] = {.heading = "VERDICT"},
    [COLUMN_WHO] = {.heading = "WHO"},
    [COLUMN_WHAT] = {.heading = "WHAT"},
};

struct scan_row {
    char *cells[N_COLUMNS];
    char *note; /* a line below it, or NULL */
};

struct scan_table {
    bool is_verbose;
    bool had_heading;
    struct scan_row rows[BATCH_ROWS];
    size_t n_rows;
};

int scan_table_new(struct scan_table **ret_table, bool is_verbose)
{
    struct scan_table *table = calloc(1, sizeof(*table));

    if (!table) {
        return -ENOMEM;
    }
    table->is_verbose = is_verbose;
    *ret_table = table;
    return 0;
}

static void forget_rows(struct scan_table *table)
{
    for (size_t i = 0; i < table->n_rows; i++) {
        for (size_t j = 0; j < N_COLUMNS; j++) {
            free(table->rows[i].cells[j]);
        }
        free(table->rows[i].note);
        table->rows[i] = (struct scan_row){.note = NULL};
    }
    table->n_rows = 0;
}

void scan_table_free(struct scan_table *table)
{
    if (table) {
        forget_rows(table);
        free(table);
    }
}

bool scan_table_is_full(const struct scan_table *table)
{
    /* One result has a row per provider at most, and room must be left for it. */
    return table->n_rows > BATCH_ROWS / 2;
}

bool scan_table_is_empty(const struct scan_table *table)
{
    return table->n_rows == 0;
}

static int add_row(struct scan_table *table, const char *const cells[static N_COLUMNS])
{
    struct scan_row *row;

    if (table->n_rows == BATCH_ROWS) {
        int r = scan_table_flush(table);

        if (r < 0) {
            return r;
        }
    }
    row = &table->rows[table->n_rows++];
    for (size_t i = 0; i < N_COLUMNS; i++) {
        row->cells[i] = strdup(cells[i]);
        if (!row->cells[i]) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* The item's name, with the number of the line if it is one. Return: heap, or NULL. */
static char *item_title(const struct item *item)
{
    CLEANUP(freep) char *safe = human_text_dup(strcmp(item->name, "-") == 0 ? "stdin" : item->name);
    char *title;

    if (!safe || item->ordinal == 0) {
        return TAKE_PTR(safe);
    }
    if (asprintf(&title, "%s:%llu", safe, (unsigned long long)item->ordinal) < 0) {
        return NULL;
    }
    return title;
}

static int add_part_finding(struct scan_table *table, const char *title,
                            const struct pes_answer *answer, uint32_t index,
                            const struct pes_part *part)
{
    uint32_t n_shown = table->is_verbose ? part->n_findings : 1;

    for (uint32_t i = 0; i == 0 || i < n_shown; i++) {
        struct pes_finding finding = {.size_bytes = sizeof(finding), .verdict = part->verdict};
        char words[HUMAN_BYTES];
        char what[CELL_BYTES] = "";
        int r;

        if (i < part->n_findings) {
            (void)pes_answer_finding(answer, index, i, &finding);
        }
        if (i == 0 && part->n_findings_total > n_shown && finding.detection) {
            snprintf(what, sizeof(what), "%s (and %u more)", finding.detection,
                     part->n_findings_total - n_shown);
        } else {
            snprintf(what, sizeof(what), "%s", finding.detection ? finding.detection : "");
        }
        r = add_row(table, (const char *[N_COLUMNS]){
                               title, human_words(words, pes_verdict_name(finding.verdict)),
                               part->name, what});
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int add_part(struct scan_table *table, const char *title, const struct pes_answer *answer,
                    uint32_t index)
{
    struct pes_part part = {.size_bytes = sizeof(part)};
    char text[OUTCOME_TEXT_BYTES];
    char words[HUMAN_BYTES];

    if (pes_answer_part(answer, index, &part) < 0) {
        return 0;
    }
    if (pes_verdict_is_finding(part.verdict)) {
        return add_part_finding(table, title, answer, index, &part);
    }
    if (status_is_missing(part.status)) {
        return add_row(table, (const char *[N_COLUMNS]){title, "not checked", part.name,
                                                        part_words(text, &part)});
    }
    if (part.status == PES_STATUS_OK && part.coverage != PES_COVERAGE_FULL) {
        return add_row(table, (const char *[N_COLUMNS]){title, "partly checked", part.name,
                                                        coverage_words(part.coverage)});
    }
    if (table->is_verbose && part.status != PES_STATUS_NOT_COMPETENT) {
        bool has_answered = part.status == PES_STATUS_OK;
        char name[HUMAN_BYTES];

        human_words(name, pes_verdict_name(part.verdict));
        return add_row(table, (const char *[N_COLUMNS]){
                                  title, name, part.name,
                                  has_answered ? human_duration(words, (double)part.wall_us / 1e6)
                                               : part_words(text, &part)});
    }
    return 0;
}

/* A row for an answer that no provider's part stands behind. */
static int add_whole(struct scan_table *table, const char *title,
                     const struct pes_answer_info *info)
{
    char words[HUMAN_BYTES];
    char quota[CELL_BYTES];
    const char *why;

    if (pes_verdict_is_finding(info->verdict)) {
        return add_row(table, (const char *[N_COLUMNS]){
                                  title, human_words(words, pes_verdict_name(info->verdict)), "-",
                                  human_words(words, pes_decided_by_name(info->decided_by))});
    }
    why = info->error ? pes_error_text(info->error) : coverage_words(info->coverage);
    if (info->error == -PES_E_QUOTA && info->quota[0]) {
        snprintf(quota, sizeof(quota), "too many %s", info->quota);
        why = quota;
    }
    return add_row(
        table,
        (const char *[N_COLUMNS]){
            title, outcome_of(info) == OUTCOME_UNASKED ? "not asked" : "not checked", "-", why});
}

static int add_note(struct scan_table *table, const struct pes_answer *answer,
                    const struct pes_answer_info *info)
{
    const char *message = pes_answer_message(answer);
    bool has_advice =
        info->advice_text && info->advice_text[0] && !strstr(message, info->advice_text);

    if (table->n_rows == 0) {
        return 0;
    }
    free(table->rows[table->n_rows - 1].note);
    if (asprintf(&table->rows[table->n_rows - 1].note, "%s%s%s", message, has_advice ? " " : "",
                 has_advice ? info->advice_text : "") < 0) {
        table->rows[table->n_rows - 1].note = NULL;
        return -ENOMEM;
    }
    return 0;
}

int scan_table_add(struct scan_table *table, const struct window_result *result)
{
    struct pes_answer_info info = {.size_bytes = sizeof(info)};
    CLEANUP(freep) char *title = NULL;
    size_t n_before = table->n_rows;
    enum outcome outcome;
    int r;

    pes_answer_info(result->answer, &info);
    outcome = outcome_of(&info);
    if (outcome == OUTCOME_CLEAN && !table->is_verbose) {
        return 0;
    }
    title = item_title(result->item);
    if (!title) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < info.n_parts; i++) {
        r = add_part(table, title, result->answer, i);
        if (r < 0) {
            return r;
        }
    }
    if (table->n_rows == n_before && outcome != OUTCOME_CLEAN) {
        r = add_whole(table, title, &info);
        if (r < 0) {
            return r;
        }
    }
    if (outcome == OUTCOME_FOUND || table->is_verbose) {
        return add_note(table, result->answer, &info);
    }
    return 0;
}

static void print_rows(const struct scan_table *table, const char *text, bool has_heading)
{
    size_t row = 0;
    bool is_heading = has_heading;

    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");

        printf("%.*s\n", (int)n, line);
        if (!is_heading && row < table->n_rows) {
            if (table->rows[row].note) {
                printf("    %s\n", table->rows[row].note);
            }
            row++;
        }
        is_heading = false;
        line += n + (line[n] == '\n');
    }
}

int scan_table_flush(struct scan_table *table)
{
    CLEANUP(table_freep) struct libscols_table *columned = NULL;
    CLEANUP(freep) char *text = NULL;
    int r;

    if (table->n_rows == 0) {
        return 0;
    }
    r = table_new(&columned, columns, N_COLUMNS);
    for (size_t i = 0; r == 0 && i < table->n_rows; i++) {
        r = table_add(columned, (const char *const *)table->rows[i].cells, N_COLUMNS);
    }
    if (r < 0) {
        return r;
    }
    table_set_headings(columned, !table->had_heading);
    r = table_to_string(columned, &text);
    if (r < 0) {
        return r;
    }
    print_rows(table, text, !table->had_heading);
    table->had_heading = true;
    forget_rows(table);
    return 0;
}
