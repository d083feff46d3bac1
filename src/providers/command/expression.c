/*
 * expression: works out what a script's pieces of text come to.
 *
 * The grammar is the union of what PowerShell, JavaScript, Python and VBScript write: an operand
 * (text in quotes, characters by number, a variable, a list in parentheses), then any number of
 * operations on it. It does not have to be right about programs, only to arrive at the text that
 * they would arrive at; whatever does not parse stays as it is.
 *
 * Parentheses nest to a fixed depth, and all reading is charged to one account, so that hostile
 * input costs a multiple of its length at most.
 */
#include "providers/command/expression.h"

#include <string.h>

#define DEPTH_MAX   12
#define LIST_COST   64 /* a list has room for its items, which costs time to make */
#define NUMBERS_MAX 4096
#define OLD_MAX     64 /* longest text that is looked for when replacing */

static bool is_name_start(uint8_t c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static bool charge(struct expression *expression, size_t n)
{
    if (expression->work_left <= n) {
        expression->work_left = 0;
        return false;
    }
    expression->work_left -= n;
    return true;
}

size_t expression_blanks(const struct text *text, size_t at)
{
    while (text_at(text, at) == ' ' || text_at(text, at) == '\t' || text_at(text, at) == '\n') {
        at++;
    }
    return at;
}

size_t expression_name(const struct text *text, size_t at)
{
    size_t n = 0;

    while (n < VARIABLE_NAME_MAX) {
        uint8_t c = text_at(text, at + n);

        if (!is_name_start(c) && !(n > 0 && c >= '0' && c <= '9') &&
            !(n == 3 && c == ':' && text_has(text, at, "env"))) {
            break;
        }
        n++;
    }
    return n;
}

size_t expression_number(const struct text *text, size_t at, int64_t *ret_value)
{
    bool is_negative = text_at(text, at) == '-';
    size_t start = at + is_negative;
    bool is_hex = text_at(text, start) == '0' && (text_at(text, start + 1) | 0x20) == 'x';
    size_t n = is_hex ? 2 : 0;
    size_t n_before = n;
    int64_t value = 0;

    for (; n < 12; n++) {
        uint8_t c = text_at(text, start + n);

        if (c >= '0' && c <= '9') {
            value = value * (is_hex ? 16 : 10) + (c - '0');
        } else if (is_hex && (c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            value = value * 16 + ((c | 0x20) - 'a' + 10);
        } else {
            break;
        }
    }
    *ret_value = is_negative ? -value : value;
    return n > n_before ? start + n : 0;
}

/* Whether the backslash at `at` ends the path of a folder, and escapes nothing: "C:\\dir\\". */
static bool ends_folder(const struct text *text, size_t at)
{
    return at > 0 && (is_name_start(text->bytes[at - 1]) ||
                      (text->bytes[at - 1] >= '0' && text->bytes[at - 1] <= '9') ||
                      text->bytes[at - 1] == ':');
}

size_t expression_quoted(struct expression *expression, size_t at, struct text *value)
{
    const struct text *text = expression->text;
    uint8_t quote = text_at(text, at);

    bool is_escaped = at > 0 && text->bytes[at - 1] == '\\';

    for (size_t i = at + 1; i < text->n && i - at <= EXPRESSION_VALUE_MAX; i++) {
        if (!charge(expression, 1)) {
            return 0;
        }
        if (text->bytes[i] == '\\' && text_at(text, i + 1) == quote) {
            if (is_escaped) {
                return i + 2;
            }
            if (!ends_folder(text, i)) {
                i++;
                text_put_part(value, text, i, i + 1);
                continue;
            }
        }
        if (text->bytes[i] == quote) {
            if (text_at(text, i + 1) != quote || i == at + 1) {
                return i + 1;
            }
            i++;
        }
        text_put_part(value, text, i, i + 1);
    }
    return 0;
}

/* Numbers up to `close`, each a character. */
static size_t characters(struct expression *expression, size_t at, uint8_t close,
                         struct text *value)
{
    const struct text *text = expression->text;

    for (size_t n = 0; n < NUMBERS_MAX && charge(expression, 4); n++) {
        int64_t number;
        size_t end;

        at = expression_blanks(text, at);
        if (text_has(text, at, "[char]")) {
            at += 6;
        }
        end = expression_number(text, at, &number);
        if (end == 0 || number < 0 || number > 0xff) {
            return 0;
        }
        text_put(value, (uint8_t)number, text_span(text, at, end));
        at = expression_blanks(text, end);
        if (text_at(text, at) == close) {
            return at + 1;
        }
        if (text_at(text, at) == ',' || text_at(text, at) == '+') {
            at++;
        }
    }
    return 0;
}

static size_t operand(struct expression *expression, size_t at, struct text *value);

/* A list in (), @() or [], or without any; its items. */
static size_t list(struct expression *expression, size_t at, struct operands *operands)
{
    const struct text *text = expression->text;
    uint8_t close = 0;

    if (!charge(expression, LIST_COST)) {
        return 0;
    }
    if (text_at(text, at) == '@' && text_at(text, at + 1) == '(') {
        at++;
    }
    if (text_at(text, at) == '(' || text_at(text, at) == '[') {
        close = text_at(text, at) == '(' ? ')' : ']';
        at++;
    }
    for (;;) {
        struct text *item = operands_add(operands, EXPRESSION_VALUE_MAX);

        at = item ? expression_read(expression, expression_blanks(text, at), item) : 0;
        if (at == 0) {
            return 0;
        }
        if (text_at(text, expression_blanks(text, at)) != ',') {
            break;
        }
        at = expression_blanks(text, at) + 1;
        expression->n_joined++;
    }
    if (close == 0) {
        return at;
    }
    at = expression_blanks(text, at);
    return text_at(text, at) == close ? at + 1 : 0;
}

/* What joins a list that ends at `at`: `-join 'x'` or .join('x'). Returns where that ends. */
static size_t joint(struct expression *expression, size_t at, struct text *separator)
{
    const struct text *text = expression->text;
    size_t blank = expression_blanks(text, at);
    size_t end;

    if (text_has(text, blank, "-join")) {
        at = expression_blanks(text, blank + 5);
        end = text_at(text, at) == '"' || text_at(text, at) == '\''
                  ? expression_quoted(expression, at, separator)
                  : 0;
        return end;
    }
    if (text_has(text, at, ".join(")) {
        end = expression_quoted(expression, at + 6, separator);
        return end && text_at(text, end) == ')' ? end + 1 : 0;
    }
    return 0;
}

/* (a), or (a, b, c) that is joined. */
static size_t group(struct expression *expression, size_t at, struct text *value)
{
    struct operands operands = OPERANDS_INIT;
    struct text separator = TEXT_INIT(EXPRESSION_VALUE_MAX);
    size_t end = list(expression, at, &operands);

    if (end > 0 && operands.n > 1) {
        end = joint(expression, end, &separator);
    }
    if (end > 0) {
        operation_join(&operands, &separator, value);
    }
    text_fini(&separator);
    operands_fini(&operands);
    return end;
}

/* -join list, or [string]::join('x', list), `at` being where the list begins. */
static size_t joined_list(struct expression *expression, size_t at, struct text *value)
{
    struct operands operands = OPERANDS_INIT;
    size_t end = list(expression, expression_blanks(expression->text, at), &operands);

    if (end > 0) {
        expression->n_joined++;
        operation_join(&operands, NULL, value);
    }
    operands_fini(&operands);
    return end;
}

static size_t string_join(struct expression *expression, size_t at, struct text *value)
{
    const struct text *text = expression->text;
    struct text separator = TEXT_INIT(EXPRESSION_VALUE_MAX);
    struct operands operands = OPERANDS_INIT;
    size_t end = expression_quoted(expression, at, &separator);

    end = end ? expression_blanks(text, end) : 0;
    if (end > 0 && text_at(text, end) == ',') {
        end = list(expression, expression_blanks(text, end + 1), &operands);
        end = end ? expression_blanks(text, end) : 0;
        if (end > 0 && text_at(text, end) == ')') {
            end++;
            expression->n_joined++;
            operation_join(&operands, &separator, value);
        } else {
            end = 0;
        }
    } else {
        end = 0;
    }
    operands_fini(&operands);
    text_fini(&separator);
    return end;
}

/* Join-Path 'a' 'b'. */
static size_t joined_path(struct expression *expression, size_t at, struct text *value)
{
    const struct text *text = expression->text;
    size_t end = operand(expression, expression_blanks(text, at), value);
    size_t next = end ? expression_blanks(text, end) : 0;

    if (end == 0 || next == end) {
        return 0;
    }
    text_put(value, '\\', text_span(text, end, next));
    end = operand(expression, next, value);
    expression->n_joined += end > 0;
    return end;
}

struct introduction {
    const char *word;
    enum {
        INTRODUCES_CHARACTERS = 1, /* numbers up to ) */
        INTRODUCES_LIST = 2,
        INTRODUCES_JOIN = 3,
        INTRODUCES_NOTHING = 4, /* a cast */
        INTRODUCES_PATH = 5,    /* two parts of a path */
    } what;
};

static const struct introduction introductions[] = {
    {"[char[]](", INTRODUCES_CHARACTERS},
    {"[char[]]@(", INTRODUCES_CHARACTERS},
    {"[char[]] (", INTRODUCES_CHARACTERS},
    {"[char](", INTRODUCES_CHARACTERS},
    {"chr(", INTRODUCES_CHARACTERS},
    {"chrw(", INTRODUCES_CHARACTERS},
    {"string.fromcharcode(", INTRODUCES_CHARACTERS},
    {"string.fromcodepoint(", INTRODUCES_CHARACTERS},
    {"[string]::join(", INTRODUCES_JOIN},
    {"[system.string]::join(", INTRODUCES_JOIN},
    {"[string]::concat", INTRODUCES_LIST},
    {"-join", INTRODUCES_LIST},
    {"join-path ", INTRODUCES_PATH},
    {"[string]", INTRODUCES_NOTHING},
    {"[system.string]", INTRODUCES_NOTHING},
};

/* An operand that begins with one of the words above. `ret_is_cast`: go on after it. */
static size_t introduced(struct expression *expression, size_t at, struct text *value,
                         bool *ret_is_known)
{
    for (size_t i = 0; i < sizeof(introductions) / sizeof(introductions[0]); i++) {
        const struct introduction *introduction = &introductions[i];
        size_t start = at + strlen(introduction->word);
        size_t end = 0;

        if (!text_has(expression->text, at, introduction->word)) {
            continue;
        }
        *ret_is_known = true;
        switch (introduction->what) {
        case INTRODUCES_CHARACTERS:
            end = characters(expression, start, ')', value);
            expression->n_joined += end > 0;
            return end;
        case INTRODUCES_LIST:
            return joined_list(expression, start, value);
        case INTRODUCES_JOIN:
            return string_join(expression, start, value);
        case INTRODUCES_PATH:
            return joined_path(expression, start, value);
        case INTRODUCES_NOTHING:
            return expression_read(expression, start, value);
        }
    }
    return 0;
}

/* [char]97, [char]0x61 without parentheses. */
static size_t one_character(struct expression *expression, size_t at, struct text *value)
{
    int64_t number;
    size_t end;

    at = expression_blanks(expression->text, at + 6);
    end = expression_number(expression->text, at, &number);
    if (end == 0 || number < 0 || number > 0xff) {
        return 0;
    }
    expression->n_joined++;
    text_put(value, (uint8_t)number, text_span(expression->text, at, end));
    return end;
}

/* $name, ${name}, name. */
static size_t variable(struct expression *expression, size_t at, struct text *value)
{
    const struct text *text = expression->text;
    bool has_dollar = text_at(text, at) == '$';
    bool has_brace = has_dollar && text_at(text, at + 1) == '{';
    size_t start = at + has_dollar + has_brace;
    size_t n = expression_name(text, start);
    size_t end = start + n + has_brace;
    const struct text *known;

    if (n == 0 || (has_brace && text_at(text, start + n) != '}') ||
        (!has_dollar && text_at(text, end) == '(')) {
        return 0;
    }
    known = variables_get(expression->variables, text->bytes + start, n);
    if (known && charge(expression, known->n)) {
        text_put_part(value, known, 0, known->n);
    } else if (!has_dollar || !variables_put_system(text->bytes + start, n, false,
                                                    text_span(text, at, end), value)) {
        return 0;
    }
    expression->n_variables++;
    return end;
}

static size_t operand(struct expression *expression, size_t at, struct text *value)
{
    bool is_known = false;
    uint8_t c = text_at(expression->text, at);
    size_t end;

    if (c == '"' || c == '\'') {
        return expression_quoted(expression, at, value);
    }
    end = introduced(expression, at, value, &is_known);
    if (is_known) {
        return end;
    }
    if (text_has(expression->text, at, "[char]")) {
        return one_character(expression, at, value);
    }
    if (c == '(' || c == '[' || c == '@') {
        return group(expression, at, value);
    }
    return c == '$' || is_name_start(c) ? variable(expression, at, value) : 0;
}

/* Puts what `operation` made of it in the place of the value. */
static void value_become(struct text *value, struct text *made)
{
    text_fini(value);
    *value = *made;
}

static size_t format_suffix(struct expression *expression, size_t at, struct text *value)
{
    struct operands operands = OPERANDS_INIT;
    struct text made = TEXT_INIT(EXPRESSION_VALUE_MAX);
    size_t end = list(expression, expression_blanks(expression->text, at), &operands);

    if (end > 0) {
        expression->n_joined++;
        operation_format(value, &operands, &made);
        value_become(value, &made);
    } else {
        text_fini(&made);
    }
    operands_fini(&operands);
    return end;
}

/* Two texts that `at` begins with, and a closing parenthesis if there has to be one. */
static size_t replace_suffix(struct expression *expression, size_t at, bool is_call,
                             struct text *value)
{
    struct operands operands = OPERANDS_INIT;
    struct text made = TEXT_INIT(EXPRESSION_VALUE_MAX);
    const struct text *text = expression->text;
    size_t end = list(expression, expression_blanks(text, at), &operands);

    if (end > 0 && is_call) {
        end = expression_blanks(text, end);
        end = text_at(text, end) == ')' ? end + 1 : 0;
    }
    if (end > 0 && operands.n == 1) {
        operands_add(&operands, 0); /* -replace 'x': by nothing */
    }
    if (end > 0 && operands.n == 2 && operands.items[0].n <= OLD_MAX &&
        charge(expression, value->n)) {
        expression->n_joined++;
        operation_replace(value, &operands.items[0], &operands.items[1], &made);
        value_become(value, &made);
    } else {
        end = 0;
        text_fini(&made);
    }
    operands_fini(&operands);
    return end;
}

/* Turns the value round; the operation ends at `end`. */
static size_t reverse_suffix(struct expression *expression, size_t end, struct text *value)
{
    struct text made = TEXT_INIT(EXPRESSION_VALUE_MAX);

    if (!charge(expression, value->n)) {
        return 0;
    }
    operation_reverse(value, &made);
    value_become(value, &made);
    expression->n_joined++;
    return end;
}

/* [-1..-9], [::-1], [3], [0,4,2]. */
static size_t index_suffix(struct expression *expression, size_t at, struct text *value)
{
    const struct text *text = expression->text;
    int64_t indices[OPERANDS_MAX];
    struct text made = TEXT_INIT(EXPRESSION_VALUE_MAX);
    size_t n = 0;
    size_t end = at;

    if (text_has(text, at, "::-1]")) {
        return reverse_suffix(expression, at + 5, value);
    }
    if (text_has(text, at, "-1..-")) {
        while (end < text->n && end - at < 64 && text->bytes[end] != ']') {
            end++;
        }
        return reverse_suffix(expression, end + 1, value);
    }
    do {
        end = expression_number(text, expression_blanks(text, end), &indices[n]);
        end = end ? expression_blanks(text, end) : 0;
    } while (end > 0 && ++n < OPERANDS_MAX && text_at(text, end) == ',' && ++end);
    if (end == 0 || text_at(text, end) != ']') {
        return 0;
    }
    operation_pick(value, indices, n, &made);
    value_become(value, &made);
    expression->n_joined++;
    return end + 1;
}

static size_t plus_suffix(struct expression *expression, size_t at, struct text *value)
{
    struct text right = TEXT_INIT(EXPRESSION_VALUE_MAX);
    size_t end = operand(expression, expression_blanks(expression->text, at), &right);

    if (end > 0 && charge(expression, right.n)) {
        text_put_part(value, &right, 0, right.n);
        expression->n_joined++;
    }
    text_fini(&right);
    return end;
}

/* "x".join([a, b]) of Python. */
static size_t join_suffix(struct expression *expression, size_t at, struct text *value)
{
    struct operands operands = OPERANDS_INIT;
    struct text made = TEXT_INIT(EXPRESSION_VALUE_MAX);
    size_t end = list(expression, at, &operands);

    if (end > 0 && text_at(expression->text, end) == ')') {
        operation_join(&operands, value, &made);
        value_become(value, &made);
        expression->n_joined++;
        end++;
    } else {
        text_fini(&made);
        end = 0;
    }
    operands_fini(&operands);
    return end;
}

/* One operation on `value` at `at`. Returns where it ends, 0 when there is none. */
static size_t suffix(struct expression *expression, size_t at, struct text *value)
{
    static const char *const neutral[] = {".tostring()", ".tolower()", ".toupper()",
                                          ".trim()",     ".invoke()",  "-join''",
                                          "-join ''",    "-join\"\"",  "-join \"\""};
    static const char *const replaces[] = {"-replace", "-creplace", "-ireplace"};
    static const char *const backwards = ".split(\"\").reverse().join(\"\")";
    const struct text *text = expression->text;
    size_t blank = expression_blanks(text, at);

    for (size_t i = 0; i < sizeof(neutral) / sizeof(neutral[0]); i++) {
        if (text_has(text, neutral[i][0] == '.' ? at : blank, neutral[i])) {
            return (neutral[i][0] == '.' ? at : blank) + strlen(neutral[i]);
        }
    }
    for (size_t i = 0; i < sizeof(replaces) / sizeof(replaces[0]); i++) {
        if (text_has(text, blank, replaces[i])) {
            return replace_suffix(expression, blank + strlen(replaces[i]), false, value);
        }
    }
    if (text_has(text, at, backwards) || text_has(text, at, ".split('').reverse().join('')")) {
        return reverse_suffix(expression, at + strlen(backwards), value);
    }
    if (text_has(text, at, ".replace(")) {
        return replace_suffix(expression, at + 9, true, value);
    }
    if (text_has(text, at, ".join([") || text_has(text, at, ".join((")) {
        return join_suffix(expression, at + 6, value);
    }
    if (text_has(text, blank, "-f") && !is_name_start(text_at(text, blank + 2))) {
        return format_suffix(expression, blank + 2, value);
    }
    if (text_at(text, blank) == '+' && text_at(text, blank + 1) != '=') {
        return plus_suffix(expression, blank + 1, value);
    }
    return text_at(text, at) == '[' ? index_suffix(expression, at + 1, value) : 0;
}

size_t expression_read(struct expression *expression, size_t at, struct text *value)
{
    size_t end;

    if (expression->depth == DEPTH_MAX || !charge(expression, 1)) {
        return 0;
    }
    expression->depth++;
    end = operand(expression, at, value);
    for (size_t next = end; next > 0 && charge(expression, 1);) {
        end = next;
        next = suffix(expression, end, value);
    }
    expression->depth--;
    return end;
}
