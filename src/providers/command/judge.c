/*
 * judge: views, signals, rules.
 *
 * Patterns are looked for in windows of each view. A rule is about one place: its conditions must
 * hold among the signals whose ranges of the content meet the same section. For a command line that
 * is all of it; in a long script, what stands far apart does not add up to anything.
 */
#include "providers/command/judge.h"

#include <string.h>

#include "providers/command/fold.h"
#include "providers/command/hiding.h"

#define WINDOW_BYTES  8192u
#define WINDOW_STEP   7168u
#define SECTION_BYTES 8192u
#define SECTION_STEP  6144u
#define BINARY_SAMPLE 4096u
#define BINARY_MIN    64u

static bool must_stop(struct judge *judge)
{
    if (!judge->is_late && judge->views.out_of_time &&
        judge->views.out_of_time(judge->views.data)) {
        judge->is_late = true;
    }
    return judge->is_late;
}

static void window_match(struct judge *judge, unsigned view, size_t from, size_t to)
{
    uint8_t hits[4096];
    const struct text *plain = &judge->views.views[view].plain;
    const struct rule_set *set = judge->set;
    uint8_t is_noted[SIGNAL_KINDS_MAX] = {0};

    if (set->n_expressions > sizeof(hits)) {
        judge->is_incomplete = true;
        return;
    }
    memset(hits, 0, set->n_expressions);
    if (pattern_set_candidates(set->patterns, plain->bytes + from, to - from, hits) != 0) {
        judge->is_incomplete = true;
        return;
    }
    for (size_t i = 0; i < set->n_expressions; i++) {
        uint16_t name = set->name_of_expression[i];
        size_t start;
        size_t end;
        int r;

        if (!hits[i] || is_noted[name]) {
            continue;
        }
        r = pattern_set_where(set->patterns, i, plain->bytes + from, to - from, &start, &end);
        judge->is_incomplete |= r < 0;
        if (r > 0) {
            is_noted[name] = 1;
            signals_add(&judge->signals, FACT_COUNT + name, view, plain, from + start, from + end);
        }
    }
}

static void view_match(struct judge *judge, unsigned view)
{
    size_t n = judge->views.views[view].plain.n;

    for (size_t from = 0; from < n && !must_stop(judge); from += WINDOW_STEP) {
        size_t to = n - from < WINDOW_BYTES ? n : from + WINDOW_BYTES;

        window_match(judge, view, from, to);
        if (to == n) {
            break;
        }
    }
}

static void range_add(struct judged *judged, struct span span, const char *what)
{
    for (size_t i = 0; i < judged->n_ranges; i++) {
        if (judged->ranges[i].span.start == span.start && judged->ranges[i].span.end == span.end) {
            return;
        }
    }
    if (judged->n_ranges < JUDGED_RANGES_MAX) {
        judged->ranges[judged->n_ranges++] = (struct judged_range){span, what};
    }
}

static const char *signal_name(const struct rule_set *set, unsigned signal)
{
    return signal < FACT_COUNT ? fact_name((enum fact)signal)
                               : set->pattern_names[signal - FACT_COUNT];
}

static bool meets(const struct signal *signal, struct span section)
{
    return signal->span.start < section.end && signal->span.end > section.start;
}

static bool is_in_term(const struct rule_term *term, unsigned signal)
{
    for (size_t i = 0; i < term->n; i++) {
        if (term->signals[i] == signal) {
            return true;
        }
    }
    return false;
}

/* The first signal of the section that makes the term hold. */
static const struct signal *signal_of(const struct judge *judge, const struct rule_term *term,
                                      struct span section)
{
    for (size_t i = 0; i < judge->signals.n; i++) {
        if (meets(&judge->signals.hits[i], section) &&
            is_in_term(term, judge->signals.hits[i].signal)) {
            return &judge->signals.hits[i];
        }
    }
    return NULL;
}

static void judged_add(struct judge *judge, const struct rule *rule,
                       const struct rule_clause *clause, struct span section)
{
    struct judged *judged = &judge->judged[judge->n_judged];

    if (judge->n_judged == JUDGED_MAX) {
        judge->is_incomplete = true;
        return;
    }
    *judged = (struct judged){.rule = rule};
    judge->n_judged++;
    for (size_t t = 0; t < clause->n; t++) {
        const struct rule_term *term = &clause->terms[t];
        const struct signal *signal = term->is_negated ? NULL : signal_of(judge, term, section);

        if (signal) {
            range_add(judged, signal->span, signal_name(judge->set, signal->signal));
            if (judge->views.views[signal->view].layer > judge->views.views[judged->view].layer) {
                judged->view = signal->view;
            }
        }
    }
}

bool judge_has(const struct judge *judge, const struct rule *rule)
{
    for (size_t i = 0; i < judge->n_judged; i++) {
        if (judge->judged[i].rule == rule) {
            return true;
        }
    }
    return false;
}

static void section_judge(struct judge *judge, struct span section)
{
    uint8_t present[SIGNAL_KINDS_MAX] = {0};

    for (size_t i = 0; i < judge->signals.n; i++) {
        if (meets(&judge->signals.hits[i], section)) {
            present[judge->signals.hits[i].signal] = 1;
        }
    }
    for (size_t i = 0; i < judge->set->n_rules; i++) {
        const struct rule *rule = &judge->set->rules[i];
        const struct rule_clause *clause;

        if (rule_holds(rule, present, &clause) && !judge_has(judge, rule)) {
            judged_add(judge, rule, clause, section);
        }
    }
}

/* Machine code and compressed files: a good part of their bytes is zero, or no text at all. A
 * script that is made to look like it is not taken for clean, but for something that could not be
 * read. */
static bool is_binary(const uint8_t *bytes, size_t n)
{
    size_t n_sample = n < BINARY_SAMPLE ? n : BINARY_SAMPLE;
    size_t n_strange = 0;
    size_t low;

    if (fold_is_utf16(bytes, n, &low)) {
        return false;
    }
    for (size_t i = 0; i < n_sample; i++) {
        n_strange += bytes[i] < 0x20 && bytes[i] != '\t' && bytes[i] != '\n' && bytes[i] != '\r' &&
                     bytes[i] != '\f' && bytes[i] != 0x1b;
    }
    return n_sample >= BINARY_MIN && n_strange * 10 >= n_sample;
}

void judge_run(struct judge *judge, const uint8_t *bytes, size_t n, bool (*out_of_time)(void *data),
               void *data)
{
    judge->signals.n = 0;
    judge->signals.is_incomplete = false;
    judge->n_judged = 0;
    judge->is_late = false;
    judge->is_incomplete = false;
    judge->is_cut = n > CONTENT_BYTES_MAX;
    judge->n_examined = judge->is_cut ? CONTENT_BYTES_MAX : n;
    memset(&judge->views, 0, sizeof(judge->views));
    judge->views.out_of_time = out_of_time;
    judge->views.data = data;
    judge->is_binary = is_binary(bytes, n);
    if (judge->is_binary) {
        judge->n_examined = 0;
        return;
    }
    views_make(&judge->views, bytes, judge->n_examined);
    judge->is_late = judge->views.is_late;
    hiding_note(&judge->views, &judge->signals);
    for (size_t i = 0; i < judge->views.n && !must_stop(judge); i++) {
        const struct text *plain = &judge->views.views[i].plain;

        addresses_note(plain, (unsigned)i, &judge->set->known, &judge->signals);
        flows_note(&judge->flows, plain, (unsigned)i, &judge->set->known, &judge->signals);
        view_match(judge, (unsigned)i);
    }
    judge->is_incomplete |= judge->views.is_incomplete || judge->signals.is_incomplete;
    for (uint32_t from = 0; from < judge->n_examined; from += SECTION_STEP) {
        section_judge(judge, (struct span){from, from + SECTION_BYTES});
        if (from + SECTION_BYTES >= judge->n_examined) {
            break;
        }
    }
}

void judge_clear(struct judge *judge)
{
    views_fini(&judge->views);
}
