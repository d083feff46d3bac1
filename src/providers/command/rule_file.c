/*
 * rule_file: reads one file of rules, line by line.
 *
 * The format is as small as it can be: an unindented line begins a pattern, a rule or names a known
 * address, indented ones fill it in, `#` begins a comment. Every mistake is reported with file and
 * line and what to do, and refuses all rules: part of a set would look like all of it.
 *
 * A file is read twice, so that a rule can use a pattern that is defined further down or in another
 * file.
 */
#include "providers/command/rule_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pes/provider.h>

#include "providers/command/signals.h"

#define NAME_MAX_BYTES 64

struct value_name {
    const char *name;
    uint32_t value;
};

static const struct value_name verdicts[] = {
    {"uncommon", PES_VERDICT_UNCOMMON},
    {"suspicious", PES_VERDICT_SUSPICIOUS},
    {"potentially_unwanted", PES_VERDICT_POTENTIALLY_UNWANTED},
    {"credential_theft", PES_VERDICT_CREDENTIAL_THEFT},
    {"deceptive_instruction", PES_VERDICT_DECEPTIVE_INSTRUCTION},
    {"malicious", PES_VERDICT_MALICIOUS},
    {NULL, 0},
};

static const struct value_name severities[] = {
    {"low", PES_SEVERITY_LOW},
    {"medium", PES_SEVERITY_MEDIUM},
    {"high", PES_SEVERITY_HIGH},
    {"critical", PES_SEVERITY_CRITICAL},
    {NULL, 0},
};

static const struct value_name advices[] = {
    {"do_not_run", PES_ADVICE_DO_NOT_RUN},
    {"ask_sender", PES_ADVICE_ASK_SENDER},
    {"read_decoded", PES_ADVICE_READ_DECODED},
    {"download_first", PES_ADVICE_DOWNLOAD_FIRST},
    {"fix_login", PES_ADVICE_FIX_LOGIN},
    {"ask_admin", PES_ADVICE_ASK_ADMIN},
    {NULL, 0},
};

struct reader {
    struct rule_set *set;
    const char *file;
    const char *at;
    const char *end;
    unsigned line;
    bool is_indented;
    const char *key;
    size_t n_key;
    const char *value; /* rest of the line */
    size_t n_value;
    struct rule_error *error;
    bool is_second;
    const char *pattern; /* that is being read; NULL */
    size_t n_pattern;
    unsigned pattern_line;
    struct rule *rule; /* that is being read; NULL */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Reads the next line that says something. */
static bool line_next(struct reader *reader)
{
    while (reader->at < reader->end) {
        const char *start = reader->at;
        const char *stop = memchr(start, '\n', (size_t)(reader->end - start));

        stop = stop ? stop : reader->end;
        reader->at = stop < reader->end ? stop + 1 : stop;
        reader->line++;
        while (stop > start && (is_blank(stop[-1]) || stop[-1] == '\r')) {
            stop--;
        }
        reader->is_indented = start < stop && is_blank(*start);
        while (start < stop && is_blank(*start)) {
            start++;
        }
        if (start == stop || *start == '#') {
            continue;
        }
        reader->key = start;
        while (start < stop && !is_blank(*start)) {
            start++;
        }
        reader->n_key = (size_t)(start - reader->key);
        while (start < stop && is_blank(*start)) {
            start++;
        }
        reader->value = start;
        reader->n_value = (size_t)(stop - start);
        return true;
    }
    return false;
}

static bool key_is(const struct reader *reader, const char *key)
{
    return reader->n_key == strlen(key) && memcmp(reader->key, key, reader->n_key) == 0;
}

static int fail(struct reader *reader, const char *what, const char *remedy)
{
    return rule_error_add(reader->error, "%s:%u: %s; %s", reader->file, reader->line, what, remedy);
}

static int no_memory(struct reader *reader)
{
    return rule_error_add(reader->error, "%s: out of memory; give the provider more (`memory-mib`)",
                          reader->file);
}

/* Makes an array longer by one. Returns the new element, zeroed, or NULL. */
static void *grow(void *array, size_t *n, size_t size)
{
    void **base = array;
    char *grown = reallocarray(*base, *n + 1, size);

    if (!grown) {
        return NULL;
    }
    *base = grown;
    memset(grown + *n * size, 0, size);
    return grown + (*n)++ * size;
}

static bool is_name(const char *text, size_t n)
{
    if (n == 0 || n > NAME_MAX_BYTES) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) &&
            text[i] != '-' && text[i] != '_' && text[i] != '.') {
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------------------- first pass */

static int known_add(struct reader *reader)
{
    char **slot = grow(&reader->set->known.patterns, &reader->set->known.n, sizeof(*slot));
    char *copy = strndup(reader->value, reader->n_value);

    if (!slot || !copy) {
        free(copy);
        return no_memory(reader);
    }
    for (char *c = copy; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    *slot = copy;
    if (reader->n_value == 0 || strstr(copy, "://") || *copy == '*') {
        return fail(reader, "`known` wants an address without its scheme that begins with a host",
                    "write it like `known get.example.org/install`");
    }
    return 0;
}

static int pattern_begin(struct reader *reader)
{
    char **slot;

    if (!is_name(reader->value, reader->n_value)) {
        return fail(reader, "a pattern needs a name of a-z, 0-9, '-', '_' and '.'", "give it one");
    }
    if (rule_set_signal(reader->set, reader->value, reader->n_value) >= 0) {
        return fail(reader, "there is a pattern or a fact of this name already",
                    "choose another name");
    }
    if (FACT_COUNT + reader->set->n_pattern_names + 1 > SIGNAL_KINDS_MAX) {
        return fail(reader, "too many patterns", "put several expressions into one pattern");
    }
    slot = grow(&reader->set->pattern_names, &reader->set->n_pattern_names, sizeof(*slot));
    if (!slot || !(*slot = strndup(reader->value, reader->n_value))) {
        return no_memory(reader);
    }
    reader->pattern = *slot;
    return 0;
}

static int expression_add(struct reader *reader)
{
    char why[PATTERN_ERROR_MAX];
    uint16_t *slot;

    if (!reader->pattern) {
        return fail(reader, "`re` belongs to a pattern", "begin one with `pattern NAME`");
    }
    for (size_t i = 0; i < reader->n_value; i++) {
        if (isupper((unsigned char)reader->value[i]) && (i == 0 || reader->value[i - 1] != '\\')) {
            return fail(reader, "an expression has a capital letter, which nothing can match",
                        "text is made lower case before it is matched: write it in lower case");
        }
    }
    if (pattern_set_add(reader->set->patterns, reader->value, reader->n_value, why) < 0) {
        return rule_error_add(reader->error, "%s:%u: %s; mend the expression (RE2 syntax)",
                              reader->file, reader->line, why);
    }
    slot = grow(&reader->set->name_of_expression, &reader->set->n_expressions, sizeof(*slot));
    if (!slot) {
        return no_memory(reader);
    }
    *slot = (uint16_t)(reader->set->n_pattern_names - 1);
    return 0;
}

int rule_file_read_patterns(struct rule_set *set, const char *name, const char *text, size_t n,
                            struct rule_error *error)
{
    struct reader reader = {.set = set, .file = name, .at = text, .end = text + n, .error = error};
    size_t n_before = error->n_errors;

    while (line_next(&reader)) {
        if (!reader.is_indented) {
            reader.pattern = NULL;
            if (key_is(&reader, "pattern")) {
                (void)pattern_begin(&reader);
            } else if (key_is(&reader, "known")) {
                (void)known_add(&reader);
            } else if (!key_is(&reader, "rule")) {
                (void)fail(&reader, "a line begins with what is none of pattern, rule and known",
                           "indent it, or mend the word");
            }
        } else if (key_is(&reader, "re")) {
            (void)expression_add(&reader);
        }
    }
    return error->n_errors == n_before ? 0 : -1;
}

/* ------------------------------------------------------------------------------ second pass */

static int rule_begin(struct reader *reader)
{
    struct rule *rule;

    if (!is_name(reader->value, reader->n_value)) {
        return fail(reader, "a rule needs a name of a-z, 0-9, '-', '_' and '.'", "give it one");
    }
    for (size_t i = 0; i < reader->set->n_rules; i++) {
        if (strlen(reader->set->rules[i].name) == reader->n_value &&
            memcmp(reader->set->rules[i].name, reader->value, reader->n_value) == 0) {
            return fail(reader, "there is a rule of this name already", "choose another name");
        }
    }
    rule = grow(&reader->set->rules, &reader->set->n_rules, sizeof(*rule));
    if (!rule || !(rule->name = strndup(reader->value, reader->n_value))) {
        return no_memory(reader);
    }
    rule->file = reader->file;
    rule->line = reader->line;
    reader->rule = rule;
    return 0;
}

static int value_find(struct reader *reader, const struct value_name *names, uint32_t *ret_value)
{
    char what[160];
    size_t n = 0;

    for (const struct value_name *name = names; name->name; name++) {
        if (strlen(name->name) == reader->n_value &&
            memcmp(name->name, reader->value, reader->n_value) == 0) {
            *ret_value = name->value;
            return 0;
        }
        n += (size_t)snprintf(what + n, sizeof(what) - n, "%s%s", n ? ", " : "", name->name);
    }
    return rule_error_add(reader->error, "%s:%u: '%.*s' is no %.*s; use one of %s", reader->file,
                          reader->line, (int)reader->n_value, reader->value, (int)reader->n_key,
                          reader->key, what);
}

static int choice_add(struct reader *reader, struct rule_term *term, const char *name, size_t n)
{
    int signal = rule_set_signal(reader->set, name, n);

    if (signal < 0) {
        return rule_error_add(reader->error,
                              "%s:%u: there is no pattern or fact '%.*s'; define it, or mend the "
                              "name",
                              reader->file, reader->line, (int)n, name);
    }
    if (term->n == RULE_TERM_CHOICES) {
        return fail(reader, "too many choices in one condition", "use another `when` line");
    }
    term->signals[term->n++] = (uint16_t)signal;
    return 0;
}

static int term_add(struct reader *reader, struct rule_clause *clause, const char *text, size_t n)
{
    struct rule_term *term = &clause->terms[clause->n];
    const char *end = text + n;

    if (clause->n == RULE_TERMS_MAX) {
        return fail(reader, "too many conditions in one line", "make a pattern of some of them");
    }
    clause->n++;
    if (*text == '!') {
        term->is_negated = true;
        text++;
    }
    for (;;) {
        const char *bar = memchr(text, '|', (size_t)(end - text));
        const char *stop = bar ? bar : end;

        if (choice_add(reader, term, text, (size_t)(stop - text)) < 0) {
            return -1;
        }
        if (!bar) {
            return 0;
        }
        text = bar + 1;
    }
}

static int clause_add(struct reader *reader)
{
    struct rule_clause *clause =
        grow(&reader->rule->clauses, &reader->rule->n_clauses, sizeof(*clause));
    const char *at = reader->value;
    const char *end = reader->value + reader->n_value;
    bool has_positive = false;

    if (!clause) {
        return no_memory(reader);
    }
    while (at < end) {
        const char *start = at;

        while (at < end && !is_blank(*at)) {
            at++;
        }
        if (term_add(reader, clause, start, (size_t)(at - start)) < 0) {
            return -1;
        }
        has_positive |= *start != '!';
        while (at < end && is_blank(*at)) {
            at++;
        }
    }
    return has_positive ? 0
                        : fail(reader, "`when` names nothing that has to be there",
                               "add a condition without '!'");
}

/* A mark in a test stands for a line end. */
static char *test_text(const char *text, size_t n)
{
    static const char mark[] = "\xe2\x8f\x8e";
    char *copy = strndup(text, n);

    for (char *at = copy; at && (at = strstr(at, mark)); at++) {
        *at = '\n';
        memmove(at + 1, at + strlen(mark), strlen(at + strlen(mark)) + 1);
    }
    return copy;
}

static int test_add(struct reader *reader, bool is_match)
{
    struct rule_test *test = grow(&reader->rule->tests, &reader->rule->n_tests, sizeof(*test));

    if (!test || !(test->text = test_text(reader->value, reader->n_value))) {
        return no_memory(reader);
    }
    test->is_match = is_match;
    test->line = reader->line;
    return 0;
}

static int technique_set(struct reader *reader)
{
    struct rule *rule = reader->rule;

    if (reader->n_value < 5 || reader->n_value >= sizeof(rule->technique) ||
        reader->value[0] != 'T' || strspn(reader->value + 1, "0123456789.") < reader->n_value - 1) {
        return fail(reader, "`technique` wants an ATT&CK id", "write it like T1059.001");
    }
    memcpy(rule->technique, reader->value, reader->n_value);
    return 0;
}

static int confidence_set(struct reader *reader)
{
    char *end;
    long value = strtol(reader->value, &end, 10);

    if (end != reader->value + reader->n_value || value < 1 || value > 100) {
        return fail(reader, "`confidence` wants a number", "use 1 to 100");
    }
    reader->rule->confidence = (uint32_t)value;
    return 0;
}

static int rule_line(struct reader *reader)
{
    struct rule *rule = reader->rule;

    if (key_is(reader, "technique")) {
        return technique_set(reader);
    }
    if (key_is(reader, "verdict")) {
        return value_find(reader, verdicts, &rule->verdict);
    }
    if (key_is(reader, "severity")) {
        return value_find(reader, severities, &rule->severity);
    }
    if (key_is(reader, "confidence")) {
        return confidence_set(reader);
    }
    if (key_is(reader, "advice")) {
        return value_find(reader, advices, &rule->advice);
    }
    if (key_is(reader, "when")) {
        return clause_add(reader);
    }
    if (key_is(reader, "match") || key_is(reader, "pass")) {
        return test_add(reader, key_is(reader, "match"));
    }
    return fail(reader, "a rule has no such line",
                "use technique, verdict, severity, confidence, advice, when, match and pass");
}

/* Whether a rule is complete, once it has ended. */
static int rule_end(struct reader *reader)
{
    const struct rule *rule = reader->rule;
    bool has[2] = {false, false};

    if (!rule) {
        return 0;
    }
    for (size_t i = 0; i < rule->n_tests; i++) {
        has[rule->tests[i].is_match] = true;
    }
    if (rule->verdict == 0 || rule->severity == 0 || rule->confidence == 0 ||
        rule->n_clauses == 0 || rule->technique[0] == '\0' || !has[0] || !has[1]) {
        return rule_error_add(reader->error,
                              "%s:%u: rule '%s' is not complete; it needs technique, verdict, "
                              "severity, confidence, when, and at least one match and one pass",
                              reader->file, rule->line, rule->name);
    }
    return 0;
}

int rule_file_read_rules(struct rule_set *set, const char *name, const char *text, size_t n,
                         struct rule_error *error)
{
    struct reader reader = {.set = set, .file = name, .at = text, .end = text + n, .error = error};
    size_t n_before = error->n_errors;
    bool is_pattern = false;

    while (line_next(&reader)) {
        if (!reader.is_indented) {
            (void)rule_end(&reader);
            reader.rule = NULL;
            is_pattern = key_is(&reader, "pattern");
            if (key_is(&reader, "rule")) {
                (void)rule_begin(&reader);
            }
        } else if (reader.rule) {
            (void)rule_line(&reader);
        } else if (!is_pattern || !key_is(&reader, "re")) {
            (void)fail(&reader, "an indented line belongs to nothing", "see the lines above it");
        }
    }
    (void)rule_end(&reader);
    return error->n_errors == n_before ? 0 : -1;
}
