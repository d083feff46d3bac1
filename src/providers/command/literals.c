/*
 * literals: walks through a script, keeps what it assigns to variables, and works out its string
 * expressions on the way.
 *
 * Assignments are recognised by form alone (`$a = `, `a=`, `set a=`, `var a =`), in the order in
 * which they stand; branches and loops are not followed. That is enough for the chains that hide
 * one command line, and a value that is wrong only makes a view that matches nothing.
 */
#include "providers/command/literals.h"

#include <string.h>

#include "providers/command/expression.h"

#define OPEN_MAX       16 /* quotes that are open inside each other */
#define WORK_PER_BYTE  32
#define WORK_MIN       65536
#define BARE_VALUE_MAX 1024

struct joiner {
    const struct text *text;
    struct text *ret_text;
    struct literals_seen *seen;
    struct variables variables;
    struct expression expression;
    size_t closing[OPEN_MAX]; /* where quotes end that were found not to be part of an expression */
    size_t n_closing;
};

static bool is_name(uint8_t c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || (c >= '0' && c <= '9');
}

/* Whether a statement could begin at `at`. */
static bool is_statement_start(const struct text *text, size_t at)
{
    static const char *const before[] = {"export ", "set ",   "set \"", "local ", "declare ",
                                         "var ",    "const ", "let ",   "env ",   "readonly "};
    size_t i = at;

    for (size_t b = 0; b < sizeof(before) / sizeof(before[0]); b++) {
        size_t n = strlen(before[b]);

        if (at >= n && text_has(text, at - n, before[b])) {
            return true;
        }
    }
    while (i > 0 && text->bytes[i - 1] == ' ') {
        i--;
    }
    return i == 0 || strchr(";&|({\n`\"'", text->bytes[i - 1]) != NULL;
}

/* A value without quotes: up to a blank, or, after `set`, up to the end of the command. */
static void bare_value(struct joiner *joiner, size_t at, bool is_set, struct text *value)
{
    const struct text *text = joiner->text;

    for (size_t i = at; i < text->n && i - at < BARE_VALUE_MAX; i++) {
        uint8_t c = text->bytes[i];

        if (strchr(is_set ? "&|\n\"" : " \t\n;&|)\"'`", c)) {
            break;
        }
        text_put_part(value, text, i, i + 1);
    }
    while (is_set && value->n > 0 && value->bytes[value->n - 1] == ' ') {
        value->n--;
    }
}

/* Keeps what is assigned at `at`, if anything is. Returns where the value begins, or 0. */
static size_t assignment(struct joiner *joiner, size_t at)
{
    const struct text *text = joiner->text;
    size_t has_dollar = text->bytes[at] == '$';
    size_t n = expression_name(text, at + has_dollar);
    size_t equals = expression_blanks(text, at + has_dollar + n);
    bool is_set = (at >= 4 && text_has(text, at - 4, "set ")) ||
                  (at >= 5 && text_has(text, at - 5, "set \""));
    struct text value = TEXT_INIT(EXPRESSION_VALUE_MAX);
    size_t start;

    if (n == 0 || text_at(text, equals) != '=' || text_at(text, equals + 1) == '=' ||
        !is_statement_start(text, at)) {
        return 0;
    }
    start = expression_blanks(text, equals + 1);
    if (is_set || expression_read(&joiner->expression, start, &value) == 0) {
        value.n = 0;
        if (is_set || (start == equals + 1 && !has_dollar)) {
            bare_value(joiner, equals + 1, is_set, &value);
        }
    }
    if (value.n > 0) {
        variables_set(&joiner->variables, text->bytes + at + has_dollar, n, &value);
    }
    text_fini(&value);
    return equals + 1;
}

/* The value of a variable of any of the shells into `value`. */
static bool look_up(struct joiner *joiner, size_t name, size_t n, struct span span,
                    struct text *value)
{
    const uint8_t *bytes = joiner->text->bytes + name;
    const struct text *known = variables_get(&joiner->variables, bytes, n);

    if (known) {
        text_put_part(value, known, 0, known->n);
        return true;
    }
    return variables_put_system(bytes, n, joiner->text->bytes[name - 1] != '{', span, value);
}

/* The range `from`[,`count`] of a value; both may be negative, as in cmd. */
static void put_substring(struct joiner *joiner, const struct text *value, int64_t from,
                          int64_t count)
{
    int64_t n = (int64_t)value->n;
    int64_t start = from < 0 ? n + from : from;
    int64_t end = count < 0 ? n + count : start + count;

    start = start < 0 ? 0 : start > n ? n : start;
    end = end < start ? start : end > n ? n : end;
    text_put_part(joiner->ret_text, value, (size_t)start, (size_t)end);
}

/* `:~1,2%` or `:1:2}` at `at`: a part of the value. Returns where it ends, or 0. */
static size_t put_part(struct joiner *joiner, size_t at, uint8_t separator, uint8_t close,
                       const struct text *value)
{
    const struct text *text = joiner->text;
    int64_t from;
    int64_t count = INT32_MAX;
    size_t end = expression_number(text, at, &from);

    if (end > 0 && text_at(text, end) == separator) {
        end = expression_number(text, end + 1, &count);
    }
    if (end == 0 || text_at(text, end) != close) {
        return 0;
    }
    put_substring(joiner, value, from, count);
    return end + 1;
}

/* `old=new%` or `old/new}` at `at`. Returns where it ends, or 0. */
static size_t put_replaced(struct joiner *joiner, size_t at, uint8_t separator, uint8_t close,
                           const struct text *value)
{
    const struct text *text = joiner->text;
    struct text old = TEXT_INIT(64);
    struct text new_text = TEXT_INIT(256);
    size_t i = at;

    while (i < text->n && text->bytes[i] != separator && text->bytes[i] != close && !old.is_cut) {
        text_put_part(&old, text, i, i + 1);
        i++;
    }
    if (text_at(text, i) == separator) {
        for (i++; i < text->n && text->bytes[i] != close && !new_text.is_cut; i++) {
            text_put_part(&new_text, text, i, i + 1);
        }
    }
    i = text_at(text, i) == close && old.n > 0 ? i + 1 : 0;
    if (i > 0) {
        operation_replace(value, &old, &new_text, joiner->ret_text);
    }
    text_fini(&old);
    text_fini(&new_text);
    return i;
}

/* %name%, !name!, %name:~0,1%, %name:a=b%. Returns where it ends, put; or 0. */
static size_t cmd_variable(struct joiner *joiner, size_t at)
{
    const struct text *text = joiner->text;
    uint8_t mark = text->bytes[at];
    size_t n = expression_name(text, at + 1);
    size_t end = at + 1 + n;
    struct text value = TEXT_INIT(EXPRESSION_VALUE_MAX);

    if (n == 0 || (text_at(text, end) != mark && text_at(text, end) != ':') ||
        !look_up(joiner, at + 1, n, text_span(text, at, end + 1), &value)) {
        end = 0;
    } else if (text_at(text, end) == mark) {
        text_put_part(joiner->ret_text, &value, 0, value.n);
        end++;
    } else if (text_at(text, end + 1) == '~') {
        end = put_part(joiner, end + 2, ',', mark, &value);
    } else {
        end = put_replaced(joiner, end + 1, '=', mark, &value);
    }
    text_fini(&value);
    return end;
}

/* ${name:0:3}, ${name//a/b}. Returns where it ends, put; or 0. */
static size_t shell_variable(struct joiner *joiner, size_t at)
{
    const struct text *text = joiner->text;
    size_t n = expression_name(text, at + 2);
    size_t end = at + 2 + n;
    struct text value = TEXT_INIT(EXPRESSION_VALUE_MAX);

    if (n == 0 || !look_up(joiner, at + 2, n, text_span(text, at, end), &value)) {
        end = 0;
    } else if (text_at(text, end) == ':') {
        end = put_part(joiner, end + 1, ':', '}', &value);
    } else if (text_at(text, end) == '/') {
        end = put_replaced(joiner, end + (text_at(text, end + 1) == '/' ? 2 : 1), '/', '}', &value);
    } else {
        end = 0;
    }
    text_fini(&value);
    return end;
}

/* A string expression at `at`. Returns where it ends, put; or 0. */
static size_t joined(struct joiner *joiner, size_t at)
{
    struct expression *expression = &joiner->expression;
    struct text value = TEXT_INIT(EXPRESSION_VALUE_MAX);
    struct span span;
    size_t end;

    expression->n_joined = 0;
    expression->n_variables = 0;
    end = expression_read(expression, at, &value);
    if (end > 0 && expression->n_joined > 0) {
        span = text_span(joiner->text, at, end);
        text_put(joiner->ret_text, '\'', span);
        text_put_part(joiner->ret_text, &value, 0, value.n);
        text_put(joiner->ret_text, '\'', span);
    } else if (end > 0 && expression->n_variables > 0 && joiner->text->bytes[at] == '$') {
        text_put_part(joiner->ret_text, &value, 0, value.n);
    } else {
        end = 0;
    }
    if (end > 0) {
        joiner->seen->n_joined += expression->n_joined;
        joiner->seen->n_variables += expression->n_variables;
    }
    joiner->seen->is_incomplete |= value.is_cut;
    text_fini(&value);
    return end;
}

/* Notes where the quote at `at` is closed, so that its end is not taken for a beginning. */
static void remember_closing(struct joiner *joiner, size_t at)
{
    struct text ignored = TEXT_INIT(0);
    size_t end = expression_quoted(&joiner->expression, at, &ignored);

    text_fini(&ignored);
    if (end > 0 && joiner->n_closing < OPEN_MAX) {
        joiner->closing[joiner->n_closing++] = end - 1;
    }
}

static bool is_closing(struct joiner *joiner, size_t at)
{
    while (joiner->n_closing > 0 && joiner->closing[joiner->n_closing - 1] < at) {
        joiner->n_closing--;
    }
    return joiner->n_closing > 0 && joiner->closing[joiner->n_closing - 1] == at;
}

/* Whatever there is to work out at `at`. Returns where it ends, put; or 0. */
static size_t step(struct joiner *joiner, size_t at)
{
    const struct text *text = joiner->text;
    uint8_t c = text->bytes[at];
    bool is_word_start = at == 0 || !is_name(text->bytes[at - 1]);
    size_t end = 0;

    if ((c == '$' || (is_name(c) && is_word_start)) && (end = assignment(joiner, at)) > 0) {
        text_put_part(joiner->ret_text, text, at, end);
        return end;
    }
    if ((c == '%' || c == '!') && (end = cmd_variable(joiner, at)) > 0) {
        joiner->seen->n_variables++;
        return end;
    }
    if (c == '$' && text_at(text, at + 1) == '{' && (end = shell_variable(joiner, at)) > 0) {
        joiner->seen->n_variables++;
        return end;
    }
    if (c == '"' || c == '\'') {
        if (is_closing(joiner, at)) {
            return 0;
        }
        end = joined(joiner, at);
        if (end == 0) {
            remember_closing(joiner, at);
        }
        return end;
    }
    if (c == '$' || c == '[' || c == '(' || c == '-' ||
        (is_word_start && ((c | 0x20) == 'c' || (c | 0x20) == 's' || (c | 0x20) == 'j')) ||
        (is_word_start && is_name(c) && joiner->variables.n > 0)) {
        return joined(joiner, at);
    }
    return 0;
}

void literals_join(const struct text *text, struct text *ret_text, struct literals_seen *seen)
{
    struct joiner joiner = {
        .text = text,
        .ret_text = ret_text,
        .seen = seen,
        .variables = VARIABLES_INIT,
        .expression = {.text = text, .work_left = text->n * WORK_PER_BYTE + WORK_MIN},
    };

    joiner.expression.variables = &joiner.variables;
    for (size_t i = 0; i < text->n && !ret_text->is_cut;) {
        size_t end = step(&joiner, i);

        if (end > i) {
            i = end;
        } else {
            text_put(ret_text, text->bytes[i], text->spans[i]);
            i++;
        }
    }
    seen->is_incomplete |= joiner.expression.work_left == 0 || joiner.variables.is_full;
    variables_fini(&joiner.variables);
}
