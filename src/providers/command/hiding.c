/*
 * hiding: turns what was taken off on the way to the views into facts for rules.
 *
 * None of them means harm: scripts join texts, and mail has invisible characters. How many it takes
 * is decided here; what to make of it together with what the command does is for the rules.
 */
#include "providers/command/hiding.h"

#include <string.h>

#include "providers/command/words.h"

#define NOISE_MIN     3u
#define JOINED_MIN    3u
#define VARIABLES_MIN 2u
#define ESCAPES_MIN   4u
#define DENSE_BYTES   256u
#define LINES_MAX     3u /* of what is pasted into a narrow field */
#define DEEP_MIN      3u
#define NAME_MIN      3u
#define NAMES_MAX     64u /* names that are looked for in the content as it is */
#define BLANKS_MIN    16u
#define CASE_MAX      32u

/* A word in mIxEd case that is the name of a program. */
static bool is_mixed(const struct text *text, size_t from, size_t to)
{
    char lower[CASE_MAX];
    size_t n_turns = 0;

    if (to - from < 4 || to - from > CASE_MAX) {
        return false;
    }
    for (size_t i = from; i < to; i++) {
        uint8_t c = text->bytes[i];

        n_turns += i > from && c >= 'A' && c <= 'Z' && text->bytes[i - 1] >= 'a' &&
                   text->bytes[i - 1] <= 'z';
        lower[i - from] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return n_turns >= 2 && word_is(lower, to - from) != WORD_PLAIN;
}

static bool is_word(uint8_t c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-';
}

static void case_note(const struct views *views, struct signals *signals)
{
    const struct text *text = &views->views[0].text;

    for (size_t i = 0; i < text->n; i++) {
        size_t from = i;

        while (i < text->n && is_word(text->bytes[i])) {
            i++;
        }
        /* Invoke-WebRequest turns twice by itself. */
        if (is_mixed(text, from, i) && !text_has(text, from, "invoke-") &&
            !text_has(text, from, "start-")) {
            signals_add(signals, FACT_HIDDEN_CASE, 0, text, from, i);
            return;
        }
    }
}

/* Blanks in the middle of a line push the rest of it out of a narrow field. */
static void padding_note(const struct views *views, struct signals *signals)
{
    const struct text *text = &views->views[0].text;
    bool is_indent = true;
    size_t n_lines = 0;

    for (size_t i = 0; i < text->n; i++) {
        n_lines += text->bytes[i] == '\n';
    }
    if (n_lines > LINES_MAX) {
        return;
    }
    for (size_t i = 0; i < text->n; i++) {
        size_t from = i;

        while (i < text->n && (text->bytes[i] == ' ' || text->bytes[i] == '\t')) {
            i++;
        }
        if (i - from >= BLANKS_MIN && !is_indent && i < text->n && text->bytes[i] != '\n') {
            signals_add(signals, FACT_HIDDEN_PADDING, 0, text, from, i);
            return;
        }
        is_indent = text_at(text, i) == '\n';
    }
}

/* The name of a program that can only be read once something was taken off or put together. */
static void name_note(const struct views *views, unsigned view, struct signals *signals)
{
    const struct text *first = &views->views[0].plain;
    const struct text *plain = &views->views[view].plain;
    size_t n_checked = 0;

    for (size_t i = 0; i < plain->n; i++) {
        size_t from = i;

        while (i < plain->n &&
               (is_word(plain->bytes[i]) || (plain->bytes[i] >= '0' && plain->bytes[i] <= '9'))) {
            i++;
        }
        if (i - from < NAME_MIN ||
            !(word_is((const char *)plain->bytes + from, i - from) &
              (WORD_FETCH | WORD_RUN | WORD_START)) ||
            n_checked++ >= NAMES_MAX ||
            memmem(first->bytes, first->n, plain->bytes + from, i - from)) {
            continue;
        }
        signals_add(signals, FACT_HIDDEN_NAME, view, plain, from, i);
        return;
    }
}

/* A long script has some of everything; only what is dense in it says something. */
static bool is_dense(const struct views *views, size_t n, size_t least)
{
    return n >= least + views->views[0].text.n / DENSE_BYTES;
}

void hiding_note(const struct views *views, struct signals *signals)
{
    const struct text *whole = &views->views[0].text;

#define NOTE(condition, fact)                                                                      \
    if (condition) {                                                                               \
        signals_add(signals, fact, 0, whole, 0, whole->n);                                         \
    }
    if (views->n == 0) {
        return;
    }
    NOTE(is_dense(views, views->n_noise, NOISE_MIN), FACT_HIDDEN_NOISE)
    NOTE(is_dense(views, views->n_joined, JOINED_MIN), FACT_HIDDEN_JOINED)
    NOTE(is_dense(views, views->n_variables, VARIABLES_MIN), FACT_HIDDEN_VARIABLES)
    NOTE(is_dense(views, views->n_escapes, ESCAPES_MIN), FACT_HIDDEN_ESCAPES)
    NOTE(views->n_invisible > 0, FACT_HIDDEN_INVISIBLE)
    NOTE(views->n_lookalikes > 0, FACT_HIDDEN_LOOKALIKE)
    NOTE(views->has_program, FACT_HIDDEN_PROGRAM)
#undef NOTE
    case_note(views, signals);
    padding_note(views, signals);
    for (size_t i = 0; i < views->n; i++) {
        const struct view *view = &views->views[i];

        if (view->layer == 0 && i > 0) {
            name_note(views, (unsigned)i, signals);
        }
        if (view->layer > 0) {
            signals_add(signals, FACT_HIDDEN_ENCODED, (unsigned)i, &view->plain, 0, view->plain.n);
        }
        if (view->layer >= DEEP_MIN) {
            signals_add(signals, FACT_HIDDEN_DEEP, (unsigned)i, &view->plain, 0, view->plain.n);
        }
    }
}
